import Foundation
import LabelParity
import Testing

/// Class-label confident learning against cleanlab 2.9, float64.
@Suite(Peer.isThere) struct LabelPeerTests {
  @Test func numbersAndFlaggedSetsAreThoseOfCleanlab() throws {
    try Peer.withFolder(of: "label_reference.py") { folder in
      let files = try LabelProblem.files(in: folder)
      #expect(files.count == 202)
      var compared = 0
      var unstable = 0
      for file in files {
        let problem = try LabelProblem(file)
        let name = (file as NSString).lastPathComponent
        #expect(problem.differences == [], "\(name)")
        compared += problem.compared
        unstable += problem.unstable.isEmpty ? 0 : 1
      }
      // On the others, cleanlab without a stable sort flags the same sets.
      print(
        "\(files.count) problems, \(compared) results compared; on \(unstable), numpy's default sort picks other equals"
      )
      #expect(compared > 5000)
    }
  }
}
