import Encoders
import Foundation
import Images
import Layers
import Synchronization
import Testing

@testable import Training

@Suite struct EnsembleTrainerTests {
  private static func configuration(epochs: Int) -> TrainingConfiguration {
    var configuration = TrainingConfiguration()
    configuration.folds = 2
    configuration.epochs = epochs
    configuration.batchSize = 32
    configuration.bankSize = 64
    configuration.selectionRounds = 1
    configuration.selectionEpochs = max(1, epochs / 3)
    configuration.optimiser.peakRate = 1e-3
    configuration.minimumSteps = 10
    configuration.distrustQuantile = 0.75
    // Its captions have few words: none can be spared often.
    configuration.augmentation.wordDropout = 0.3
    configuration.members = [
      MemberConfiguration(
        name: "bag", image: ImageConfiguration(widths: [8, 16], blocks: [0, 1]),
        text: TextConfiguration(kind: .bag, buckets: 512, width: 16), dimension: 16),
      MemberConfiguration(
        name: "transformer", image: ImageConfiguration(widths: [8, 16], blocks: [0, 0]),
        text: TextConfiguration(
          kind: .transformer, buckets: 512, width: 16, depth: 1, heads: 2, maxTokens: 6),
        dimension: 16),
    ]
    for i in 0..<2 { configuration.members[i].image.side = ColourCorpus.side }
    return configuration
  }

  private static func train(
    _ corpus: ColourCorpus, epochs: Int, workers: Int, checkpoints: String? = nil,
    progress: @escaping @Sendable (TrainingProgress) -> Void = { _ in },
    isCancelled: @escaping @Sendable () -> Bool = { false }
  ) throws -> Ensemble {
    try trainEnsemble(
      corpus, configuration: configuration(epochs: epochs), workers: workers,
      checkpoints: checkpoints, key: "k", publish: { path, write in try write(path) },
      progress: progress, isCancelled: isCancelled)
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
      let repaired = scores.map { Double($0.randomRepaired[kind]) }
      #expect(abs(repaired.reduce(0, +) / Double(repaired.count)) < 0.35, "standardised")
    }
  }

  @Test func oneAndTwoWorkersLearnTheSameBits() throws {
    let corpus = ColourCorpus(count: 160, mismatched: 0.2)
    let one = try Self.train(corpus, epochs: 1, workers: 1)
    #expect(try one.digest() == Self.train(corpus, epochs: 1, workers: 2).digest())
  }

  @Test func theOrderOfTheCorpusChangesNothing() throws {
    let corpus = ColourCorpus(count: 160, mismatched: 0.2)
    var reversed = corpus
    reversed.thumbnails.reverse()
    reversed.captions.reverse()
    #expect(
      try Self.train(corpus, epochs: 1, workers: 2).digest()
        == Self.train(reversed, epochs: 1, workers: 2).digest())
  }

  @Test func noMemberTrainsOnItsFoldOrTheBank() throws {
    let corpus = ColourCorpus(count: 300, mismatched: 0)
    let split = try CorpusSplit(corpus, Self.configuration(epochs: 1))
    #expect(split.bank.count == 37, "an eighth of a small corpus")
    for fold in 0..<2 {
      let training = split.training(fold: fold)
      #expect(training.allSatisfy { corpus.hash($0).fold(of: 2) != fold })
      #expect(Set(training).isDisjoint(with: split.bank))
    }
    #expect(split.training(fold: 0).count + split.training(fold: 1).count == 300 - 37)
  }

  /// Who looks at which thumbnail while a member is trained; `next` is called when a member is finished.
  private final class Spy: TrainingCorpus {
    let corpus: ColourCorpus
    let seen = Mutex<[Int: Int]>([:])
    init(_ corpus: ColourCorpus) { self.corpus = corpus }
    var count: Int { corpus.count }
    func caption(_ index: Int) -> String { corpus.caption(index) }
    func hash(_ index: Int) -> ContentHash { corpus.hash(index) }
    func withThumbnail<R>(
      _ index: Int, _ form: ThumbnailForm, _ body: (UnsafeBufferPointer<UInt8>) -> R
    ) -> R {
      seen.withLock { $0[index, default: 0] += 1 }
      return corpus.withThumbnail(index, form, body)
    }
    func next() -> [Int: Int] {
      seen.withLock { seen in
        defer { seen = [:] }
        return seen
      }
    }
  }

  @Test(arguments: [0, 1])
  func noMemberOfAnyRoundSeesItsFoldOrLearnsFromTheBank(selectionRounds: Int) throws {
    let spy = Spy(ColourCorpus(count: 200, mismatched: 0.2))
    var configuration = Self.configuration(epochs: 2)
    configuration.selectionRounds = selectionRounds
    configuration.minimumSteps = 0
    let bank = Set(try CorpusSplit(spy.corpus, configuration).bank)
    let directory = NSTemporaryDirectory() + "winnow-training-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let finished = Mutex<[String: [Int: Int]]>([:])
    _ = try trainEnsemble(
      spy, configuration: configuration, workers: 1, checkpoints: directory, key: "k",
      publish: { path, _ in finished.withLock { $0[path] = spy.next() } }, progress: { _ in },
      isCancelled: { false })
    let members = finished.withLock { $0 }
    #expect(members.count == (selectionRounds > 0 ? 6 : 4))
    for (path, seen) in members {
      // Between the rounds every pair is scored, which counts to the first member of the final one.
      if selectionRounds > 0, path.contains("k-bag-fold0") { continue }
      let fold = try #require(Int(path.dropLast(".safetensors".count).suffix(1)))
      #expect(seen.keys.allSatisfy { bank.contains($0) || spy.hash($0).fold(of: 2) != fold })
      #expect(bank.allSatisfy { seen[$0] == 1 }, "the bank is encoded once, when \(path) is done")
      #expect(seen.count > bank.count + 20)
    }
  }

  @Test func finishedMembersAreTakenFromTheCheckpoints() throws {
    let corpus = ColourCorpus(count: 160, mismatched: 0.2)
    let directory = NSTemporaryDirectory() + "winnow-training-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    #expect(throws: TrainingError.cancelled) {
      try Self.train(corpus, epochs: 2, workers: 1, checkpoints: directory) { _ in
      } isCancelled: {
        (try? FileManager.default.contentsOfDirectory(atPath: directory))?.contains {
          $0.hasPrefix("k-bag")
        } ?? false
      }
    }
    let finished = try FileManager.default.contentsOfDirectory(atPath: directory)
    #expect(
      finished.count == 4,
      "two members of the selection round, what they make of all pairs, one of the final round")
    let resumed = try Self.train(corpus, epochs: 2, workers: 1, checkpoints: directory)
    #expect(try resumed.digest() == Self.train(corpus, epochs: 2, workers: 2).digest())
  }

  /// What lies on the disk at some moment is all that a killed process leaves.
  @Test func aMemberThatIsKilledGoesOnWhereItWasKeptLast() throws {
    let corpus = ColourCorpus(count: 160, mismatched: 0.2)
    let directory = NSTemporaryDirectory() + "winnow-training-" + UUID().uuidString
    let left = directory + "-left"
    let files = FileManager.default
    try files.createDirectory(atPath: directory, withIntermediateDirectories: true)
    defer { for folder in [directory, left] { try? files.removeItem(atPath: folder) } }
    func train(_ folder: String, _ progress: @escaping @Sendable (Int) -> Void) throws -> Ensemble {
      try trainEnsemble(
        corpus, configuration: Self.configuration(epochs: 2), workers: 1, checkpoints: folder,
        key: "k", checkpointSeconds: 0, publish: { path, write in try write(path) },
        progress: { progress($0.step) }, isCancelled: { false })
    }
    let whole = try train(directory) { step in
      if step == 7 { try? FileManager.default.copyItem(atPath: directory, toPath: left) }
    }
    #expect(try files.contentsOfDirectory(atPath: left).contains { $0.hasSuffix(".unfinished") })
    let first = Mutex<Int?>(nil)
    let resumed = try train(left) { step in first.withLock { $0 = $0 ?? step } }
    #expect([6, 7].contains(first.withLock { $0 }))
    #expect(try resumed.digest() == whole.digest())
  }

  /// Two steps take longer than the shorter interval, so that one is over after each of them.
  @Test(arguments: [0.1, 3600]) func aMemberIsKeptAsOftenAsIsAskedFor(seconds: Double) throws {
    let directory = NSTemporaryDirectory() + "winnow-training-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let kept = Mutex(0)
    let start = ContinuousClock.now
    _ = try trainEnsemble(
      ColourCorpus(count: 160, mismatched: 0.2), configuration: Self.configuration(epochs: 1),
      workers: 1, checkpoints: directory, key: "k", checkpointSeconds: seconds,
      publish: { path, _ in if path.hasSuffix(".unfinished") { kept.withLock { $0 += 1 } } },
      progress: { if [3, 7].contains($0.step) { usleep(150_000) } }, isCancelled: { false })
    let elapsed: Double = (ContinuousClock.now - start) / .seconds(1)
    let count = kept.withLock { $0 }
    #expect(count >= (seconds < 1 ? 2 : 0))
    #expect(Double(count) * seconds <= elapsed)
  }

  @Test func aMemberThatIsStoppedInTheMiddleGoesOnThere() throws {
    let corpus = ColourCorpus(count: 160, mismatched: 0.2)
    let directory = NSTemporaryDirectory() + "winnow-training-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let done = Mutex(0)
    #expect(throws: TrainingError.cancelled) {
      try Self.train(corpus, epochs: 2, workers: 1, checkpoints: directory) { progress in
        done.withLock { $0 = progress.step }
      } isCancelled: {
        done.withLock { $0 == 7 }
      }
    }
    let files = try FileManager.default.contentsOfDirectory(atPath: directory)
    #expect(files.filter { $0.hasSuffix(".unfinished") }.count == 1, "\(files)")
    let resumed = try Self.train(corpus, epochs: 2, workers: 1, checkpoints: directory)
    #expect(try resumed.digest() == Self.train(corpus, epochs: 2, workers: 2).digest())
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: directory).allSatisfy {
        $0.hasSuffix(".safetensors") || $0.hasSuffix("-scores.bin")
      })
  }

  @Test func snapshotsAlongTrainingAreKindsOfTheEnsemble() throws {
    let corpus = ColourCorpus(count: 160, mismatched: 0.2)
    var configuration = Self.configuration(epochs: 2)
    configuration.selectionRounds = 0
    let alone = try trainEnsemble(
      corpus, configuration: configuration, workers: 2, checkpoints: nil, key: "k",
      publish: { _, _ in }, progress: { _ in }, isCancelled: { false })
    configuration.members[0].snapshots = 3
    let directory = NSTemporaryDirectory() + "winnow-training-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    func train() throws -> Ensemble {
      try trainEnsemble(
        corpus, configuration: configuration, workers: 2, checkpoints: directory, key: "k",
        publish: { path, write in try write(path) }, progress: { _ in }, isCancelled: { false })
    }
    let ensemble = try train()
    #expect(ensemble.kinds.map(\.name) == ["bag", "bag.1", "bag.2", "transformer"])
    #expect(ensemble.members.map { [$0.kind, $0.fold] } == (0..<8).map { [$0 / 2, $0 % 2] })
    func values(_ member: Ensemble.Member) -> [Float] { member.encoder.weights.flatMap(\.values) }
    #expect(values(ensemble.members[0]) == values(alone.members[0]), "snapshots change no training")
    #expect(Set((0..<8).map { values(ensemble.members[$0]) }).count == 8)
    #expect(try train().digest() == ensemble.digest(), "from the checkpoints")
  }

  @Test func moreSnapshotsThanStepsIsAnErrorThatSaysSo() {
    var configuration = Self.configuration(epochs: 1)
    configuration.selectionRounds = 0
    configuration.minimumSteps = 0
    configuration.members[0].snapshots = 50
    let settings = configuration
    let error = #expect(throws: TrainingError.self) {
      try trainEnsemble(
        ColourCorpus(count: 160, mismatched: 0), configuration: settings, workers: 1,
        checkpoints: nil, key: "k", publish: { _, _ in }, progress: { _ in },
        isCancelled: { false })
    }
    // Those of one epoch, in batches of 16.
    guard case .tooFewSteps(have: let steps, snapshots: 50)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect((1..<10).contains(steps))
  }

  @Test func tooFewPairsSaysHowManyAreNeeded() {
    let error = #expect(throws: TrainingError.self) {
      try Self.train(ColourCorpus(count: 30, mismatched: 0), epochs: 1, workers: 1)
    }
    #expect(error == .tooFewPairs(have: 30, need: fewestTrainingPairs))
    #expect("\(String(describing: error))".contains("100"))
  }
}
