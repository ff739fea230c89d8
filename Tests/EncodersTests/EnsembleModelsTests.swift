import Foundation
import Images
import Layers
import Testing

@testable import Encoders

/// Pretrained members: alone, and beside trained ones.
@Suite struct EnsembleModelsTests {
  private let trained = Fixtures.ensemble()

  private func model() throws -> PretrainedModel {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Goldens/hugging-face").path
    return try PretrainedModel(folder: folder, name: "clip")
  }

  private func pixels(_ side: Int, _ seed: UInt64) -> [UInt8] {
    var random = SeededRandom(seed: seed)
    return (0..<(side * side * 3)).map { _ in UInt8(random.below(256)) }
  }

  private func member(_ model: PretrainedModel, kind: Int) -> Ensemble.Member {
    let encoder = PairEncoder(model.encoder)
    let side = model.configuration.image.side
    return Ensemble.Member(
      model, kind: kind, bank: trained.bank,
      images: encoder.images(count: trained.bank.count) { pixels(side, UInt64($0)) },
      texts: encoder.texts(trained.bank.map(\.caption)))
  }

  /// The trained members of the fixtures with the model between them.
  private func mixed(_ model: PretrainedModel) -> Ensemble {
    Ensemble(
      pretrained: [nil, member(model, kind: 1), nil], trained: trained, bank: trained.bank, seed: 1)
  }

  private func mixed() throws -> Ensemble { mixed(try model()) }

  private func judged(_ ensemble: Ensemble, _ count: Int = 12) -> [JudgedPair] {
    (0..<count).map { number in
      var pair = Fixtures.pair(number)
      pair.thumbnails = ensemble.forms.map {
        $0.side == Fixtures.side ? pair.thumbnails[0] : pixels($0.side, UInt64(number))
      }
      return pair
    }
  }

  @Test func trainedKindsScoreAsTheyDoAlone() throws {
    let ensemble = try mixed()
    #expect(ensemble.kinds.map(\.name) == ["bag", "clip", "transformer"])
    #expect(ensemble.forms.map(\.side) == [8, 16])
    #expect(ensemble.members.count == 5)
    let pairs = judged(ensemble)
    let together = Judge(ensemble).score(pairs)
    let alone = Judge(trained).score((0..<12).map { Fixtures.pair($0) })
    for (a, b) in zip(together, alone) {
      #expect(abs(a.observed[0] - b.observed[0]) < 1e-4)
      #expect(abs(a.observed[2] - b.observed[1]) < 1e-4)
    }
    #expect(Set(together.map { $0.observed[1] }).count == 12)
  }

  @Test func whatWasWrittenIsReadBackWithoutTheModelsOwnFolder() throws {
    let folder = NSTemporaryDirectory() + "winnow-ensemble-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let ensemble = try mixed()
    try ensemble.write(to: folder)
    // No links: the model's own folder may be rewritten in place.
    let attributes = try FileManager.default.attributesOfItem(
      atPath: "\(folder)/clip-pretrained/merges.txt")
    #expect(attributes[.referenceCount].map { "\($0)" } == "1")
    let read = try Ensemble(directory: folder)
    #expect(try read.digest() == ensemble.digest())
    #expect(read.members[2].model?.folder == "\(folder)/clip-pretrained")
    let pairs = judged(ensemble)
    #expect(Judge(read).score(pairs) == Judge(ensemble).score(pairs))
    // Written once more from there.
    let again = folder + "-again"
    try FileManager.default.createDirectory(atPath: again, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: again) }
    try read.write(to: again)
    #expect(try Ensemble(directory: again).digest() == ensemble.digest())
  }

  @Test func whateverItIsCalledAModelTakesNoOthersFiles() throws {
    let folder = NSTemporaryDirectory() + "winnow-ensemble-" + UUID().uuidString
    let model = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Goldens/hugging-face").path
    for name in ["clusters", "bag-fold0", "bag-vocabulary", "ensemble.json"] {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      defer { try? FileManager.default.removeItem(atPath: folder) }
      let ensemble = mixed(try PretrainedModel(folder: model, name: name))
      try ensemble.write(to: folder)
      #expect(try Ensemble(directory: folder).digest() == ensemble.digest())
    }
  }

  @Test func theWeightsArePartOfTheDigest() throws {
    let folder = NSTemporaryDirectory() + "winnow-ensemble-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let ensemble = try mixed()
    try ensemble.write(to: folder)
    let merges = "\(folder)/clip-pretrained/merges.txt"
    let text = try String(contentsOfFile: merges, encoding: .utf8)
    try (text + "a b\n").write(toFile: merges, atomically: true, encoding: .utf8)
    #expect(throws: (any Error).self) {
      let other = try Ensemble(directory: folder)
      try #require(try other.digest() == ensemble.digest())
    }
  }

  @Test func byItselfAModelHasNoFolds() throws {
    let ensemble = Ensemble(
      pretrained: [member(try model(), kind: 0)], trained: nil, bank: trained.bank, seed: 1)
    #expect(ensemble.folds == 1 && ensemble.members.count == 1)
    let scores = Judge(ensemble).score(judged(ensemble))
    #expect(scores.allSatisfy { $0.observed.count == 1 && $0.observed[0].isFinite })
  }

  @Test func captionsAreCutByTheModelsOwnTokenizerAndStopAtTheEnd() throws {
    let tokens = try model().encoder.tokenizer.tokens(of: "the cat<|endoftext|> and more")
    #expect(tokens.ids.first == 524 && tokens.ids.last == 525)
    #expect(tokens.count == 5, "start, the, ca, t, end: nothing after the first end")
    let long = try model().encoder.tokenizer.tokens(of: "a b c d e f g h i j k l m")
    #expect(long.count == 9 && long.ids.last == 525)
  }
}
