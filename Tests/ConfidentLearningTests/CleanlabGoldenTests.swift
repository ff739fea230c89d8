import Foundation
import LabelParity
import Testing

/// A few small problems with cleanlab 2.9's results, made by `Tests/Peers/label_reference.py --goldens`.
@Suite struct CleanlabGoldenTests {
  private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Goldens").path

  @Test func numbersAndFlaggedSetsAreThoseOfCleanlab() throws {
    let files = try LabelProblem.files(in: Self.folder)
    #expect(files.count == 5)
    for file in files {
      let problem = try LabelProblem(file)
      #expect(problem.differences == [], "\((file as NSString).lastPathComponent)")
      #expect(problem.compared > 20)
    }
  }
}
