import Foundation
import TensorFiles
import Testing

@testable import Encoders

@Suite struct EnsembleFilesTests {
  private let ensemble = Fixtures.ensemble()

  private func withDirectory(_ body: (String) throws -> Void) throws {
    let path = NSTemporaryDirectory() + "winnow-ensemble-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: path) }
    try body(path)
  }

  @Test func whatWasWrittenIsReadBackAndJudgesTheSame() throws {
    try withDirectory { directory in
      try ensemble.write(to: directory)
      let read = try Ensemble(directory: directory)
      #expect(try read.digest() == ensemble.digest())
      let pairs = (0..<9).map { Fixtures.pair($0) }
      #expect(Judge(read).score(pairs) == Judge(ensemble).score(pairs))
    }
  }

  @Test func writingTwiceGivesTheSameBytes() throws {
    try withDirectory { a in
      try withDirectory { b in
        try ensemble.write(to: a)
        try ensemble.write(to: b)
        for name in try FileManager.default.contentsOfDirectory(atPath: a) {
          #expect(
            FileManager.default.contents(atPath: a + "/" + name)
              == FileManager.default.contents(atPath: b + "/" + name), "\(name)")
        }
      }
    }
  }

  @Test func theDigestChangesWithAnyWeight() throws {
    var other = ensemble
    other.members[3].weights[2].values[0] += 1e-3
    #expect(try other.digest() != ensemble.digest())
  }

  @Test func aMemberOfAnotherShapeIsRefusedByName() throws {
    try withDirectory { directory in
      try ensemble.write(to: directory)
      let file = directory + "/bag-fold0.safetensors"
      var tensors = Array(try SafeTensors.read(file).tensors.values).sorted { $0.name < $1.name }
      let index = try #require(tensors.firstIndex { $0.name == "text.bag.weight" })
      tensors[index] = NamedTensor(
        name: "text.bag.weight", shape: [1, 8], values: .init(repeating: 0, count: 8))
      try SafeTensors.write(tensors, metadata: [:], to: file)
      let error = #expect(throws: EnsembleError.self) { try Ensemble(directory: directory) }
      #expect("\(try #require(error))".contains("text.bag.weight"))
      tensors.remove(at: index)
      try SafeTensors.write(tensors, metadata: [:], to: file)
      let missing = #expect(throws: EnsembleError.self) { try Ensemble(directory: directory) }
      #expect("\(try #require(missing))".contains("text.bag.weight"))
    }
  }

  @Test func aFolderWithoutAnEnsembleIsAClearError() throws {
    try withDirectory { directory in
      let error = #expect(throws: EnsembleError.self) { try Ensemble(directory: directory) }
      #expect("\(try #require(error))".contains("ensemble.json"))
      try Data(#"{"format_version": 99}"#.utf8).write(
        to: URL(fileURLWithPath: directory + "/ensemble.json"))
      #expect(throws: EnsembleError.self) { try Ensemble(directory: directory) }
    }
  }
}
