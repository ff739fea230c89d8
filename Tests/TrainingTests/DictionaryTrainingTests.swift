import Encoders
import Foundation
import Layers
import TensorFiles
import Testing

@testable import Training

@Suite struct DictionaryTrainingTests {
  private static func configuration(epochs: Int) -> TrainingConfiguration {
    var configuration = TrainingConfiguration()
    (configuration.folds, configuration.epochs, configuration.selectionRounds) = (2, epochs, 0)
    (configuration.batchSize, configuration.bankSize, configuration.minimumSteps) = (32, 64, 10)
    configuration.optimiser.peakRate = 1e-3
    var image = ImageConfiguration(kind: .dictionary)
    (image.side, image.patch, image.atoms) = (ColourCorpus.side, 4, 16)
    (image.hidden, image.dropout) = (16, 0.2)
    configuration.members = [
      MemberConfiguration(
        name: "bag", image: image, text: TextConfiguration(kind: .bag, buckets: 512, width: 16),
        dimension: 16),
      MemberConfiguration(
        name: "transformer", image: image,
        text: TextConfiguration(
          kind: .transformer, buckets: 512, width: 16, depth: 1, heads: 2, maxTokens: 6),
        dimension: 16),
    ]
    return configuration
  }

  private static func train(
    _ corpus: ColourCorpus, epochs: Int, workers: Int, checkpoints: String? = nil
  ) throws -> Ensemble {
    try trainEnsemble(
      corpus, configuration: configuration(epochs: epochs), workers: workers,
      checkpoints: checkpoints, key: "k", publish: { path, write in try write(path) },
      progress: { _ in }, isCancelled: { false })
  }

  @Test func judgesLearnFromANoisyCorpusWhichPairsAreMismatched() throws {
    let corpus = ColourCorpus(count: 600, mismatched: 0.25)
    let ensemble = try Self.train(corpus, epochs: 12, workers: 2)
    let scores = Judge(ensemble).score(
      (0..<corpus.count).map {
        JudgedPair(
          hash: corpus.hash($0), thumbnails: [corpus.thumbnails[$0]], caption: corpus.caption($0))
      })
    for kind in 0..<2 {
      let auroc = corpus.auroc(scores.map { $0.observed[kind] })
      #expect(auroc > 0.85, "kind \(kind): AUROC \(auroc)")
    }
    let stems = ensemble.members.map {
      $0.encoder.weights.filter { $0.name.hasPrefix("image.stem") }
    }
    #expect(stems[0].count == 4 && stems.allSatisfy { $0 == stems[0] }, "one stem for all")
  }

  @Test func oneAndTwoWorkersLearnTheSameBitsAndAResumedRunLearnsNothingAgain() throws {
    let corpus = ColourCorpus(count: 160, mismatched: 0.2)
    let folder = NSTemporaryDirectory() + "winnow-features-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let one = try Self.train(corpus, epochs: 1, workers: 1, checkpoints: folder)
    #expect(try one.digest() == Self.train(corpus, epochs: 1, workers: 2).digest())
    let kept = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    #expect(kept.count == 6)
    // Features that only this file can be the source of: were they made again, nothing would change.
    let features = "\(folder)/k-features-0.bin"
    let whole = try Data(contentsOf: URL(fileURLWithPath: features))
    try (Data(count: whole.count - 8) + whole.suffix(8)).write(
      to: URL(fileURLWithPath: features))
    for name in kept where !name.contains("-stem-") && !name.contains("-features-") {
      try FileManager.default.removeItem(atPath: "\(folder)/\(name)")
    }
    let other = try Self.train(corpus, epochs: 1, workers: 2, checkpoints: folder)
    #expect(try other.digest() != one.digest(), "the features weren't taken from the file")
    for bytes in [Data(), Data([1])] {
      try bytes.write(to: URL(fileURLWithPath: features))
      #expect(
        throws: TrainingError.badCheckpoint(path: features, detail: "it isn't of 160 pairs")
      ) { try Self.train(corpus, epochs: 1, workers: 1, checkpoints: folder) }
    }
    let stem = "\(folder)/k-stem-0.safetensors"
    try Data([1]).write(to: URL(fileURLWithPath: stem))
    let damaged = #expect(throws: TrainingError.self) {
      try Self.train(corpus, epochs: 1, workers: 1, checkpoints: folder)
    }
    #expect("\(try #require(damaged))".contains("\(stem) can't be gone on with"))
  }

  @Test func theStemDependsOnNoCaptionAndNotOnTheOrder() throws {
    let corpus = ColourCorpus(count: 120, mismatched: 0)
    var other = corpus
    other.thumbnails.reverse()
    other.captions = (0..<120).reversed().map { corpus.captions[$0] }
    let image = Self.configuration(epochs: 1).members[0].image
    func learn(_ corpus: ColourCorpus, workers: Int) throws -> [NamedTensor] {
      try DictionaryLearning(
        corpus: corpus, image: image, stem: try #require(image.stem), seed: 3, workers: workers
      ).run()
    }
    let stem = try learn(corpus, workers: 1)
    #expect(try learn(other, workers: 2) == stem)
  }

  @Test func learningAStemStopsWhenItIsAskedTo() throws {
    let image = Self.configuration(epochs: 1).members[0].image
    let learning = DictionaryLearning(
      corpus: ColourCorpus(count: 40, mismatched: 0), image: image, stem: try #require(image.stem),
      seed: 3, workers: 1, isCancelled: { true })
    #expect(throws: TrainingError.cancelled) { try learning.run() }
  }

  @Test func cachedFeaturesAreTheStemsToHalfPrecisionMirroredToo() throws {
    let corpus = ColourCorpus(count: 20, mismatched: 0)
    let member = Self.configuration(epochs: 1).members[0]
    let caches = try FeatureCaches(
      [member], on: corpus, seed: 1, checkpoints: nil, publish: { _, _ in }, workers: 2,
      isCancelled: { false })
    let cache = try #require(caches[member])
    let stem = DictionaryStem(try #require(member.image.stem), cache.stem)
    let pool = BufferPool()
    let side = ColourCorpus.side
    for (index, mirrored) in [(0, false), (7, true), (19, false), (19, true)] {
      var pixels = corpus.thumbnails[index]
      if mirrored {
        pixels = (0..<pixels.count).map { i in
          let (row, column, c) = (i / (3 * side), i / 3 % side, i % 3)
          return corpus.thumbnails[index][(row * side + side - 1 - column) * 3 + c]
        }
      }
      let x = pool.tensor([1, side, side, 3])
      pixels.withUnsafeBufferPointer { member.image.normalise($0, into: x.data) }
      let row = pool.tensor([cache.columns])
      try cache.read(index, mirrored: mirrored, into: row.data)
      for (a, b) in zip(row.values, stem.forward(x, pool).values) {
        #expect(abs(a - b) <= 1e-3 * max(1, abs(b)))
      }
    }
  }

  @Test func aFullDiskOrAMissingFolderSaysWhatToDo() throws {
    let image = Self.configuration(epochs: 1).members[0].image
    let stem = DictionaryStem.shapes(try #require(image.stem)).map {
      NamedTensor(
        name: $0.name, shape: $0.shape,
        values: [Float](repeating: 0, count: $0.shape.reduce(1, *)))
    }
    let error = #expect(throws: TrainingError.self) {
      try FeatureCache(
        stem, of: ColourCorpus(count: 20, mismatched: 0), image, keptAt: "/nonexistent/k.bin",
        workers: 1, isCancelled: { false })
    }
    #expect(error == .file(path: "/nonexistent/k.bin.unfinished", code: ENOENT))
    #expect("\(try #require(error))".contains("No such file or directory"))
    #expect("\(TrainingError.file(path: "a", code: ENOSPC))".contains("make room"))
  }
}
