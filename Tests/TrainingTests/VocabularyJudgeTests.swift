import Encoders
import Foundation
import Testing
import Text

@testable import Training

/// Judges whose tokens are of a vocabulary.
@Suite struct VocabularyJudgeTests {
  @Test func aSelectionRoundReadsCaptionsWithTheJudgesOwnTokenizer() throws {
    let corpus = ColourCorpus(count: 120, mismatched: 0.2)
    let folder = NSTemporaryDirectory() + "winnow-vocabulary-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var learning = BytePairTrainer()
    for i in 0..<corpus.count { learning.add(corpus.caption(i)) }
    let learnt = try learning.tokenizer(vocabularySize: BytePairTrainer.smallestVocabulary + 20)
    let files = learnt.files()
    try files.vocabulary.write(to: URL(fileURLWithPath: "\(folder)/vocab.json"))
    try files.merges.write(to: URL(fileURLWithPath: "\(folder)/merges.txt"))

    var configuration = TrainingConfiguration()
    (configuration.folds, configuration.epochs, configuration.selectionEpochs) = (2, 1, 1)
    (configuration.selectionRounds, configuration.minimumSteps) = (1, 0)
    (configuration.batchSize, configuration.bankSize) = (32, 16)
    var image = ImageConfiguration(widths: [8, 8], blocks: [0, 0])
    image.side = ColourCorpus.side
    configuration.members = [
      MemberConfiguration(
        name: "pairs", image: image,
        text: TextConfiguration(
          kind: .transformer, tokens: .bytePairs, vocabulary: folder,
          vocabularySize: learnt.vocabularySize, width: 16, depth: 1, heads: 2, maxTokens: 12),
        dimension: 12)
    ]
    let ensemble = try trainEnsemble(
      corpus, configuration: configuration, workers: 2, checkpoints: nil, key: "k",
      publish: { _, _ in }, progress: { _ in }, isCancelled: { false })
    // What the members made of the bank when they were done, by the ensemble's own encoders.
    let encoders = ensemble.members.map(\.encoder)
    for (member, encoder) in zip(ensemble.members, encoders) {
      #expect(
        member.bankTexts == PairEncoder(encoder).texts(ensemble.bank.map(\.caption)),
        "fold \(member.fold)")
    }
  }
}
