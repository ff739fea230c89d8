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

  @Test func theDigestChangesWithAllThatDecidesAScore() throws {
    var digests = [try ensemble.digest()]
    func note(_ change: (inout Ensemble) -> Void) throws {
      var other = ensemble
      change(&other)
      digests.append(try other.digest())
    }
    for member in ensemble.members.indices {
      for tensor in ensemble.members[member].encoder.weights.indices {
        try note {
          $0.members[member].encoder = $0.members[member].encoder.changed {
            $0[tensor].values[0] += 1e-3
          }
        }
      }
      try note { $0.members[member].bankImages[5] += 1e-3 }
      try note { $0.members[member].bankTexts[5] += 1e-3 }
      try note { $0.members[member].mean += 1e-3 }
      try note { $0.members[member].deviation += 1e-3 }
    }
    try note { $0.clusterCentres[1] += 1e-3 }
    try note { $0.bank[2].caption += "." }
    try note { $0.kinds[0].image.side *= 2 }
    #expect(Set(digests).count == digests.count)
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
      let text = try #require(error).description
      #expect(text.contains("ensemble.json"))
    }
  }

  @Test func anotherFormatVersionIsSaidToBeOneWhateverElseItHolds() throws {
    try withDirectory { directory in
      let path = directory + "/ensemble.json"
      try Data(#"{"format_version": 99}"#.utf8).write(to: URL(fileURLWithPath: path))
      #expect(throws: EnsembleError.wrongFormat(path: path, found: 99, expected: 2)) {
        try Ensemble(directory: directory)
      }
    }
  }

  /// A dictionary would sort the accents of the key, which takes the square of their number.
  @Test func aKeyWithoutEndIsRefusedBeforeItIsParsed() throws {
    let key = String(repeating: "\u{301}", count: 9000) + String(repeating: "\u{323}", count: 9000)
    try withDirectory { directory in
      try ensemble.write(to: directory)
      let path = directory + "/ensemble.json"
      let text = try String(contentsOfFile: path, encoding: .utf8)
      try "{\"\(key)\" : 1,\(text.dropFirst())"
        .write(toFile: path, atomically: false, encoding: .utf8)
      let reason = "it has a name of more than 1024 bytes"
      let error = #expect(throws: EnsembleError.unreadable(path: path, reason: reason)) {
        try Ensemble(directory: directory)
      }
      #expect("\(try #require(error))".contains(path))
    }
  }

  /// Each is one change to an ensemble.json that is read otherwise.
  @Test(arguments: [
    (#""file" : "bag-fold0.safetensors""#, #""file" : "../bag-fold0.safetensors""#),
    (#""file" : "bag-fold0.safetensors""#, #""file" : "..""#),
    (#""file" : "bag-fold0.safetensors""#, #""file" : "/dev/zero""#),
    (#""folds" : 2"#, #""folds" : 4611686018427387904"#), (#""folds" : 2"#, #""folds" : 0"#),
    (#""side" : 8"#, #""side" : 9"#),
    (#""side" : 8"#, #""side" : -8"#), (#""side" : 8"#, #""side" : 2064"#),
    (#""dimension" : 6"#, #""dimension" : 0"#),
    (#""dimension" : 6"#, #""dimension" : 4611686018427387904"#),
    (#""heads" : 2"#, #""heads" : 3"#), (#""heads" : 2"#, #""heads" : 0"#),
    (#""depth" : 1"#, #""depth" : -1"#), (#""buckets" : 32"#, #""buckets" : -32"#),
    (#""name" : "bag""#, #""name" : "../bag""#), (#""name" : "bag""#, #""name" : "transformer""#),
    (#""fold" : 1"#, #""fold" : 0"#), (#""kind" : 1"#, #""kind" : 7"#),
  ])
  func anEnsembleThatContradictsItselfIsRefused(from: String, to: String) throws {
    try withDirectory { directory in
      try ensemble.write(to: directory)
      let path = directory + "/ensemble.json"
      let text = try String(contentsOfFile: path, encoding: .utf8)
      let place = try #require(text.range(of: from))
      try text.replacingCharacters(in: place, with: to)
        .write(toFile: path, atomically: false, encoding: .utf8)
      let error = #expect(throws: EnsembleError.self) { try Ensemble(directory: directory) }
      guard case .unreadable(path, _)? = error else {
        Issue.record("\(String(describing: error))")
        return
      }
      #expect("\(try #require(error))".contains("--ensemble"))
    }
  }

  @Test(arguments: [
    ("text.bag.weight", Float.nan), ("bank.images", .infinity), ("bank.standardisation", 0),
    ("bank.standardisation", -1), ("bank.standardisation", .nan),
  ])
  func aValueThatNothingCanBeScoredWithIsRefusedByName(name: String, value: Float) throws {
    try withDirectory { directory in
      try ensemble.write(to: directory)
      let file = directory + "/bag-fold0.safetensors"
      var tensors = Array(try SafeTensors.read(file).tensors.values).sorted { $0.name < $1.name }
      let index = try #require(tensors.firstIndex { $0.name == name })
      tensors[index].values[tensors[index].values.count - 1] = value
      try SafeTensors.write(tensors, metadata: [:], to: file)
      #expect(throws: EnsembleError.notFinite(path: file, name: name)) {
        try Ensemble(directory: directory)
      }
    }
  }
}
