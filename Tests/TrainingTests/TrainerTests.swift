import Encoders
import Foundation
import Layers
import Synchronization
import Testing
import Text

@testable import Training

@Suite struct TrainerTests {
  private static let corpus = ColourCorpus(count: 90, mismatched: 0.2)

  static func recipe(lanes: Int) -> Recipe {
    var optimiser = AdamW.Settings()
    optimiser.peakRate = 2e-3
    return Recipe(
      epochs: 4, batchSize: 20, lanes: lanes, queue: 50, ecl: EnsembleSchedule(keep: 0.6),
      optimiser: optimiser, augmentation: Augmentation())
  }

  private static func trainer(lanes: Int = 3, workers: Int = 2) throws -> Trainer<ColourCorpus> {
    var image = ImageConfiguration(widths: [8, 8], blocks: [0, 1])
    image.side = ColourCorpus.side
    return Trainer(
      recipe(lanes: lanes),
      member: MemberConfiguration(
        name: "tiny", image: image,
        text: TextConfiguration(
          kind: .transformer, buckets: 256, width: 16, depth: 1, heads: 2, maxTokens: 6),
        dimension: 12),
      seed: 3, on: corpus, pairs: Array(5..<85), groups: try PairGroups(corpus), workers: workers)
  }

  /// Weights, moments, average, step, queue and what is left out, as they are kept.
  private func state(of trainer: Trainer<ColourCorpus>) throws -> Data {
    let path = NSTemporaryDirectory() + "winnow-trainer-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try trainer.write(to: path, key: "k")
    return try Data(contentsOf: URL(fileURLWithPath: path))
  }

  @Test(arguments: [1, 7, 13])
  func aResumedTrainingEndsWithTheSameBytes(stop: Int) throws {
    let whole = try Self.trainer()
    let path = NSTemporaryDirectory() + "winnow-trainer-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let checkpoint = Checkpoint(path: path, seconds: 1e9, key: "k") { try $1($0) }
    var losses: [Float] = []
    try whole.run(nil, isCancelled: { false }, onStep: { losses.append($0.loss) })
    #expect(losses.count == whole.plan.steps && losses.count > 13)

    let stopped = try Self.trainer()
    var (seen, saved, began) = ([Float](), [Int](), [Int]())
    let steps = Mutex(0)
    #expect(throws: TrainingError.cancelled) {
      try stopped.run(
        checkpoint, isCancelled: { steps.withLock { $0 == stop } }, saved: { saved.append($0) },
        onStep: { report in
          seen.append(report.loss)
          steps.withLock { $0 = report.step }
        })
    }
    #expect(saved == [stop])
    let resumed = try Self.trainer(workers: 1)
    try resumed.run(
      checkpoint, isCancelled: { false }, began: { began.append($0) },
      onStep: { seen.append($0.loss) })
    #expect(began == [stop])
    #expect(seen == losses)
    #expect(try state(of: resumed) == state(of: whole))
  }

  /// Asked twice between two steps, once more as an epoch's pairs are judged.
  @Test func whoIsStoppedWhileAnEpochsPairsAreJudgedKeepsTheEpoch() throws {
    let folder = NSTemporaryDirectory() + "winnow-trainer-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let checkpoint = Checkpoint(path: "\(folder)/k", seconds: 1e9, key: "k") { try $1($0) }
    let whole = try Self.trainer()
    try whole.run(nil, isCancelled: { false }, onStep: { _ in })
    let asked = Mutex(0)
    var saved: [Int] = []
    #expect(throws: TrainingError.cancelled) {
      try Self.trainer().run(
        checkpoint,
        isCancelled: {
          asked.withLock {
            $0 += 1
            return $0 > 6
          }
        }, saved: { saved.append($0) }, onStep: { _ in })
    }
    #expect(saved == [5], "the step that ends the first epoch")
    let left = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    #expect(left == ["k", "k.epoch1.unfinished"])
    let resumed = try Self.trainer()
    try resumed.restore(from: checkpoint)
    #expect(resumed.step == 5 && resumed.trust.epochs == 0)
    try resumed.run(checkpoint, isCancelled: { false }, onStep: { _ in })
    #expect(try state(of: resumed) == state(of: whole))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["k"])
  }

  /// Cosines that only this file can be the source of.
  @Test func whatAnEpochsPairsWereJudgedByIsNotComputedAgain() throws {
    let folder = NSTemporaryDirectory() + "winnow-trainer-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let checkpoint = Checkpoint(path: "\(folder)/k", seconds: 1e9, key: "k") { try $1($0) }
    let trainer = try Self.trainer()
    for _ in 0..<5 { _ = try trainer.advance() }
    try trainer.write(to: checkpoint.path, key: "k")
    let cosines = (0..<80).map { Float($0) }
    let isCancelled: @Sendable () -> Bool = { false }
    _ = try KeptRows.computed(
      80, bytes: 4, keptAt: checkpoint.cosines(epoch: 1), unit: 80, workers: 1,
      isCancelled: isCancelled, state: ()
    ) { _, _, target in cosines.withUnsafeBytes { target.copyMemory(from: $0) } }
    let resumed = try Self.trainer()
    try resumed.restore(from: checkpoint)
    try resumed.judgeEpoch(keptAt: checkpoint.cosines, isCancelled: { false })
    #expect(resumed.trust.scores == cosines)
    for _ in 0..<5 { _ = try resumed.advance() }
    try resumed.judgeEpoch(keptAt: checkpoint.cosines, isCancelled: { false })
    #expect(!FileManager.default.fileExists(atPath: checkpoint.cosines(epoch: 1)))
    #expect(resumed.trust.kept == Array(32..<80), "the sums follow the first ones")
  }

  /// Two steps take longer than the interval by themselves, so one is due after each, whatever the machine does.
  @Test func aCheckpointIsKeptOnceTheIntervalIsOverAndNotBefore() throws {
    let path = NSTemporaryDirectory() + "winnow-trainer-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let interval = 0.1
    let checkpoint = Checkpoint(path: path, seconds: interval, key: "k") { try $1($0) }
    let trainer = try Self.trainer()
    var (steps, times) = ([Int](), [ContinuousClock.now])
    try trainer.run(
      checkpoint, isCancelled: { false },
      saved: {
        steps.append($0)
        times.append(.now)
      },
      onStep: { if [3, 7].contains($0.step) { usleep(150_000) } })
    #expect(Set(steps).isSuperset(of: [3, 7]), "\(steps)")
    let intervals = zip(times, times.dropFirst()).map { $1 - $0 }
    #expect(intervals.allSatisfy { $0 >= .seconds(interval) }, "\(intervals)")
    let resumed = try Self.trainer()
    try resumed.restore(from: checkpoint)
    #expect(resumed.step == steps.last)
  }

  @Test func theNumberOfWorkersChangesNoByteAndTheNumberOfLanesHardlyAnything() throws {
    func trained(lanes: Int, workers: Int) throws -> Trainer<ColourCorpus> {
      let trainer = try Self.trainer(lanes: lanes, workers: workers)
      for _ in 0..<6 { _ = try trainer.advance() }
      return trainer
    }
    let three = try trained(lanes: 3, workers: 1)
    for workers in [2, 5] {
      #expect(try state(of: three) == state(of: trained(lanes: 3, workers: workers)))
    }
    let one = try trained(lanes: 1, workers: 1)
    for (a, b) in zip(one.parameters, three.parameters) {
      let difference = zip(a.values, b.values).map { abs($0 - $1) }.max() ?? 0
      #expect(difference < 2e-3, "\(a.name): \(difference)")
    }
  }

  @Test func anEpochGoesOnWithThePairsThatTheSnapshotsTrustMost() throws {
    let trainer = try Self.trainer()
    #expect(trainer.plan.sizes == [80, 80, 48, 28])
    #expect(trainer.plan.steps == 5 + 5 + 3 + 1)
    func endEpoch(after steps: Int) throws {
      for _ in 0..<steps { _ = try trainer.advance() }
      try trainer.judgeEpoch(keptAt: nil, isCancelled: { false })
    }
    try endEpoch(after: 5)
    #expect(trainer.trust.kept.count == 80, "the first snapshot is near random")
    let first = trainer.trust.scores
    #expect(first.contains { $0 != 0 })
    try endEpoch(after: 5)
    let second = trainer.trust
    #expect(second.kept.count == 48)
    while !trainer.isFinished { _ = try trainer.advance() }
    #expect(Set(trainer.trust.kept).isSubset(of: second.kept), "what is left out stays out")
  }

  @Test func aCheckpointOfAnotherRunOrADamagedOneIsRefused() throws {
    let path = NSTemporaryDirectory() + "winnow-trainer-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let trainer = try Self.trainer()
    try trainer.write(to: path, key: "other")
    let checkpoint = Checkpoint(path: path, seconds: 1, key: "k") { try $1($0) }
    #expect(throws: TrainingError.badCheckpoint(path: path, detail: "it belongs to another run")) {
      try trainer.restore(from: checkpoint)
    }
    try Data("nothing".utf8).write(to: URL(fileURLWithPath: path))
    #expect(throws: (any Error).self) { try trainer.restore(from: checkpoint) }
  }

  @Test func whatIsNoListOfTheMembersPairsIsNoState() {
    func trust(_ places: [Float], of pairs: Int = 4) -> SnapshotTrust? {
      SnapshotTrust(
        epochs: 1, places: places, scores: [Float](repeating: 0, count: places.count / 2), of: pairs
      )
    }
    #expect(trust([0, 1, 0, 3])?.kept == [1, 3])
    #expect(trust([0, 5, 1, 2], of: 1 << 21)?.kept == [5, (1 << 20) + 2])
    #expect(SnapshotTrust(pairs: 3).places == [0, 0, 0, 1, 0, 2])
    for places: [Float] in [
      [0, 4], [0, -1], [0, .nan], [0, .infinity], [0, 0.5], [0, 1, 0, 1], [0, 3, 0, 1], [1, 0],
      [1e30, 0], [0, 1, 0],
    ] { #expect(trust(places) == nil, "\(places)") }
    #expect(SnapshotTrust(epochs: 1, places: [0, 1], scores: [.nan], of: 4) == nil)
  }

  @Test func aCheckpointThatLeavesOtherPairsOutThanItsStepIsRefused() throws {
    let path = NSTemporaryDirectory() + "winnow-trainer-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let trainer = try Self.trainer()
    for _ in 0..<10 { _ = try trainer.advance() }
    trainer.trust.prune(to: 30)
    try trainer.write(to: path, key: "k")
    #expect {
      try Self.trainer().restore(from: Checkpoint(path: path, seconds: 1, key: "k") { try $1($0) })
    } throws: { error in
      guard case TrainingError.badCheckpoint = error else { return false }
      return true
    }
  }

  /// Weights go out of bounds before a step, or after one whose loss still is a number.
  @Test(arguments: [true, false])
  func whatIsNoFiniteNumberIsNeitherToldOfNorKept(before: Bool) throws {
    let path = NSTemporaryDirectory() + "winnow-trainer-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let trainer = try Self.trainer()
    func spoil() {
      for parameter in trainer.parameters {
        parameter.values = parameter.values.map { _ in Float.nan }
      }
    }
    if before { spoil() }
    var told = 0
    #expect(throws: TrainingError.diverged(step: 1)) {
      try trainer.run(
        Checkpoint(path: path, seconds: 0, key: "k") { try $1($0) }, isCancelled: { false },
        onStep: { _ in
          told += 1
          spoil()
        })
    }
    #expect(told == (before ? 0 : 1))
    #expect(!FileManager.default.fileExists(atPath: path))
  }
}

@Suite struct EpochPlanTests {
  @Test func aSmallCorpusIsSeenMoreOftenAndALargeOneInFullBatches() {
    func steps(_ pairs: Int) -> Int {
      EpochPlan(pairs: pairs, batchSize: 96, epochs: 5, minimumSteps: 200, keep: nil).steps
    }
    #expect(steps(100) >= 200)
    #expect(steps(96 * 100) == 500)
    #expect(steps(2) >= 200, "a pair of pairs is a batch")
  }

  @Test func aSingleFoldsMembersLearnFromAllPairsButTheBank() {
    var configuration = TrainingConfiguration()
    (configuration.selectionRounds, configuration.minimumSteps) = (0, 0)
    (configuration.epochs, configuration.batchSize, configuration.bankSize) = (3, 16, 64)
    configuration.members = [MemberConfiguration(name: "a")]
    func steps(folds: Int) -> Int {
      configuration.folds = folds
      return configuration.steps(pairs: 864)
    }
    #expect(steps(folds: 1) == 3 * 800 / 16)
    #expect(steps(folds: 5) == 5 * 3 * 640 / 16)
  }

  @Test func aStepKnowsItsEpoch() {
    let plan = EpochPlan(pairs: 40, batchSize: 16, epochs: 3, minimumSteps: 0, keep: 0.5)
    #expect(plan.sizes == [40, 40, 20])
    #expect(plan.steps == 2 + 2 + 1)
    let places = (0...5).map(plan.place)
    #expect(places.map(\.epoch) == [0, 0, 1, 1, 2, 3])
    #expect(places.map(\.number) == [0, 1, 0, 1, 0, 0])
  }

  @Test func snapshotsLieAtEqualDistancesAndTheLastIsTheModel() {
    let plan = EpochPlan(pairs: 160, batchSize: 16, epochs: 3, minimumSteps: 0, keep: nil)
    #expect(plan.steps == 30)
    func steps(_ count: Int) -> [Int] {
      (0...30).filter { plan.snapshot(after: $0, of: count) != nil }
    }
    #expect((0...30).compactMap { plan.snapshot(after: $0, of: 4) } == [1, 2, 3])
    #expect(steps(1) == [])
    #expect(steps(3) == [10, 20])
    #expect(steps(4) == [8, 15, 23])
    #expect(steps(30).count == 29)
  }

  @Test func whatIsTrustedLeastIsLeftOut() {
    var trust = SnapshotTrust(pairs: 4)
    trust.add([0.1, 0.5, 0.3, 0.5])
    trust.prune(to: 3)
    #expect(trust.kept == [1, 2, 3])
    trust.add([0, 1, 0])
    trust.prune(to: 2)
    #expect(trust.kept == [1, 2], "of equal ones the first stays")
  }
}

@Suite struct CaptionAugmentationTests {
  @Test func wordsAreLeftOutButNeverAllAndNeverTheFrame() {
    var random = SeededRandom(seed: 2)
    let augmentation = Augmentation()
    let tokens = CaptionTokens(ids: [0, 5, 6, 7, 1])
    var seen: Set<[Int32]> = []
    for _ in 0..<200 {
      let kept = augmentation.caption(tokens, framed: true, &random)
      #expect(kept.ids.first == 0 && kept.ids.last == 1 && kept.count > 2)
      #expect(kept.ends == kept.ids.indices.map { Int32($0 + 1) })
      seen.insert(kept.ids)
    }
    #expect(seen.count == 7, "every choice but none of them")
    let bare = (0..<200).map { _ in augmentation.caption(tokens, &random).ids }
    #expect(bare.contains { $0.first != 0 } && bare.allSatisfy { !$0.isEmpty })
  }
}
