import Encoders
import Foundation
import Layers
import Testing
import Text

@testable import Training

@Suite struct MaskingTests {
  private static let vocabulary = MaskingVocabulary(start: 0, end: 1, mask: 2, size: 1000)

  private static func masking(maxTokens: Int = 100) -> Masking {
    Masking(
      configuration: MaskedLanguageConfiguration(), vocabulary: vocabulary, maxTokens: maxTokens)
  }

  @Test func fifteenPercentAreGuessedAndFourFifthsOfThoseMasked() {
    var random = SeededRandom(seed: 1)
    var batch = MaskedTexts()
    let texts: [[Int32]] = (0..<400).map { text in
      (0..<50).map { (place: Int) -> Int32 in Int32(3 + (text * 50 + place) % 900) }
    }
    for text in texts { Self.masking().add(text, to: &batch, &random) }
    let ids = batch.texts.flatMap(\.ids)
    let whole: [Int32] = texts.flatMap { (text: [Int32]) -> [Int32] in [0] + text + [1] }
    #expect(ids.count == whole.count)
    #expect(zip(batch.rows, batch.targets).allSatisfy { whole[Int($0)] == $1 })
    #expect(Set(batch.rows).count == batch.rows.count)
    let share = Double(batch.rows.count) / 20_000
    #expect(abs(share - 0.15) < 0.01, "\(share)")
    let masks = Double(batch.rows.count { ids[Int($0)] == 2 }) / Double(batch.rows.count)
    #expect(abs(masks - 0.8) < 0.03, "\(masks)")
    let guessed = Set(batch.rows.map(Int.init))
    #expect(ids.indices.allSatisfy { guessed.contains($0) || ids[$0] == whole[$0] })
    #expect(guessed.allSatisfy { ids[$0] != 0 && ids[$0] != 1 })
  }

  @Test func ofALongTextAWindowIsTakenAndAShortOneHasAToken() {
    var random = SeededRandom(seed: 1)
    var batch = MaskedTexts()
    let long: [Int32] = Array(10..<60)
    for _ in 0..<50 { Self.masking(maxTokens: 7).add(long, to: &batch, &random) }
    #expect(batch.texts.allSatisfy { $0.count == 7 && $0.ids[0] == 0 && $0.ids[6] == 1 })
    #expect(batch.targets.contains { $0 > 40 } && batch.targets.contains { $0 < 20 })
    var one = MaskedTexts()
    Self.masking().add([7], to: &one, &random)
    #expect(one.rows == [1] && one.targets == [7])
  }

  @Test func aVocabularyOfSpecialTokensAloneCannotBeMaskedWith() throws {
    func vocabulary(_ further: String) throws -> MaskingVocabulary? {
      let json = #"{"<|startoftext|>": 0, "<|endoftext|>": 1, "<|mask|>": 2"# + further + "}"
      return MaskingVocabulary(
        try BytePairTokenizer(vocabulary: Data(json.utf8), merges: Data()))
    }
    #expect(try vocabulary("") == nil)
    #expect(try vocabulary(#", "a": 3"#)?.size == 4)
  }

  /// Sentences of a tiny grammar: a colour is always followed by its own noun.
  private struct Grammar: TokenizedTexts {
    let count = 200
    func tokens(_ index: Int) -> [Int32] {
      let colour = Int32(index % 8)
      return [11, 3 + colour, 12 + colour, 20, 3 + colour, 12 + colour]
    }
  }

  /// Its words are the colours of `ColourCorpus`.
  private struct ColourTokenizer: CaptionTokenizer {
    func tokens(of caption: String) -> CaptionTokens {
      let words = caption.split(separator: " ").compactMap { word in
        ColourCorpus.names.firstIndex(of: String(word)).map { Int32(3 + $0) }
      }
      return CaptionTokens(ids: [0] + words + [1])
    }
  }

  private func trainer(workers: Int = 2, weight: Float = 1) throws -> Trainer<ColourCorpus> {
    let corpus = ColourCorpus(count: 120, mismatched: 0)
    var image = ImageConfiguration(widths: [8, 8], blocks: [0, 0])
    image.side = ColourCorpus.side
    var text = TextConfiguration(
      kind: .transformer, tokens: .bytePairs, vocabularySize: 24, width: 16, depth: 1, heads: 2,
      maxTokens: 10)
    text.causal = false
    var recipe = TrainerTests.recipe(lanes: 3)
    (recipe.epochs, recipe.ecl, recipe.optimiser.peakRate) = (30, nil, 1e-2)
    recipe.optimiser.decay = 0.1
    var configuration = MaskedLanguageConfiguration()
    (configuration.batchSize, configuration.weight) = (24, weight)
    return Trainer(
      recipe, member: MemberConfiguration(name: "m", image: image, text: text, dimension: 12),
      seed: 3, tokenizer: ColourTokenizer(), on: corpus, pairs: Array(0..<120),
      groups: try PairGroups(corpus),
      masked: MaskedLearning(
        texts: Grammar(),
        masking: Masking(
          configuration: configuration,
          vocabulary: MaskingVocabulary(start: 0, end: 1, mask: 2, size: 24), maxTokens: 10)),
      workers: workers)
  }

  @Test func maskedTokensAreLearntBesideThePairs() throws {
    let trainer = try trainer()
    var reports: [StepReport] = []
    try trainer.run(nil, isCancelled: { false }, onStep: { reports.append($0) })
    let (first, last) = (reports[0], reports.suffix(20))
    let mlm = try #require(first.mlm)
    #expect(abs(first.loss - (first.contrastive + mlm) / 2) < 1e-4, "EfficientCLIP's L")
    #expect(mlm > 2, "near the logarithm of the vocabulary")
    let guessed = last.compactMap(\.mlm).reduce(0, +) / 20
    #expect(guessed < 1, "\(guessed)")
    let contrastive = last.map(\.contrastive).reduce(0, +) / 20
    #expect(contrastive < first.contrastive - 0.3, "\(first.contrastive) to \(contrastive)")
  }

  @Test func workersChangeNoByteOfMaskedTrainingAndTheWeightIsKept() throws {
    let (one, three) = (try trainer(workers: 1), try trainer(workers: 3))
    for _ in 0..<3 { #expect(try one.advance() == three.advance()) }
    for (a, b) in zip(one.parameters, three.parameters) { #expect(a.values == b.values) }
    let report = try trainer(weight: 3).advance()
    let mlm = try #require(report.mlm)
    #expect(abs(report.loss - (report.contrastive + 3 * mlm) / 4) < 1e-4)
  }
}
