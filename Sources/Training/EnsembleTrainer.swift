import Encoders
import Foundation
import Layers

public enum TrainingError: Error, Equatable, CustomStringConvertible {
  case tooFewPairs(have: Int, need: Int)
  case cancelled

  public var description: String {
    switch self {
    case .tooFewPairs(let have, let need):
      "\(have) different readable pairs are too few to learn judges from: at least \(need) are needed; "
        + "add shards, or give trained judges with --ensemble"
    case .cancelled: "training was stopped"
    }
  }
}

/// How far training is.
public struct TrainingProgress: Sendable {
  /// Steps done and to do, over all members.
  public var step: Int
  public var steps: Int
  /// The member that made the step, such as "conv-bag, fold 0", and its loss.
  public var member: String
  public var loss: Float
}

/// Fewer different pairs than this teach the judges nothing that holds outside them.
public let fewestTrainingPairs = 100

/// Learns an ensemble from a noisy corpus: for every kind of member one member a fold, each trained on the pairs of the
/// other folds. The bank, the pairs of lowest hash, is never trained on.
///
/// A first round, short and with the first kind alone, scores every pair by members that had not seen it; the final
/// round leaves out those that look no better than re-paired ones. (DESIGN.md, "Method": a second round on what the
/// first one trusted. Learning by heart what does not match costs more than the pairs left out.)
///
/// - Parameters:
///   - corpus: different pairs, in any order.
///   - workers: how many members are trained at a time; the result does not depend on it.
///   - checkpoints: an existing directory where finished members are kept, so that a resumed run trains only the rest.
///   - key: distinguishes this run's checkpoints from those of another corpus or configuration.
///   - publish: writes a file whole or not at all: calls the closure with a temporary path, then renames it.
/// - Throws: `TrainingError`, or what `publish` throws.
public func trainEnsemble(
  _ corpus: some TrainingCorpus, configuration: TrainingConfiguration, workers: Int,
  checkpoints: String?, key: String,
  publish: @escaping @Sendable (_ path: String, _ write: (String) throws -> Void) throws -> Void,
  progress: @escaping @Sendable (TrainingProgress) -> Void,
  isCancelled: @escaping @Sendable () -> Bool
) throws -> Ensemble {
  guard corpus.count >= fewestTrainingPairs else {
    throw TrainingError.tooFewPairs(have: corpus.count, need: fewestTrainingPairs)
  }
  let trainer = EnsembleTrainer(
    corpus: corpus, configuration: configuration, split: CorpusSplit(corpus, configuration),
    workers: workers, checkpoints: checkpoints.map { "\($0)/\(key)" }, publish: publish,
    progress: progress, isCancelled: isCancelled, counter: StepCounter())
  return try trainer.train()
}

private struct EnsembleTrainer<Corpus: TrainingCorpus>: Sendable {
  let corpus: Corpus
  let configuration: TrainingConfiguration
  let split: CorpusSplit
  let workers: Int
  /// Path prefix of the checkpoints.
  let checkpoints: String?
  let publish: @Sendable (_ path: String, _ write: (String) throws -> Void) throws -> Void
  let progress: @Sendable (TrainingProgress) -> Void
  let isCancelled: @Sendable () -> Bool
  let counter: StepCounter

  /// One member to train.
  struct Job: Sendable {
    var kind: Int
    var fold: Int
    var name: String
    var trainer: MemberTrainer
    /// Indices into the corpus.
    var pairs: [Int]
    var steps: Int { trainer.steps(pairs: pairs.count) }
  }

  func train() throws -> Ensemble {
    let hasFirstRound = configuration.firstRoundEpochs > 0
    let first =
      hasFirstRound
      ? jobs(kinds: 1, round: "first.", epochs: configuration.firstRoundEpochs, leftOut: []) : []
    let all = configuration.members.count
    var final = jobs(kinds: all, round: "", epochs: configuration.epochs, leftOut: [])
    counter.expect((first + final).map(\.steps).reduce(0, +))
    if hasFirstRound {
      let judges = ensemble(kinds: 1, try members(first))
      final = jobs(
        kinds: all, round: "", epochs: configuration.epochs, leftOut: try distrusted(by: judges))
      counter.expect((first + final).map(\.steps).reduce(0, +))
    }
    return ensemble(kinds: all, try members(final))
  }

  private func jobs(kinds: Int, round: String, epochs: Int, leftOut: Set<Int>) -> [Job] {
    (0..<kinds).flatMap { kind in
      (0..<configuration.folds).map { fold in
        let number = kind * configuration.folds + fold + (round.isEmpty ? 0 : 1000)
        return Job(
          kind: kind, fold: fold, name: "\(round)\(configuration.members[kind].name)",
          trainer: MemberTrainer(
            configuration, member: configuration.members[kind], epochs: epochs,
            minimumSteps: configuration.minimumSteps / (round.isEmpty ? 1 : 2),
            seed: configuration.seed &* 0x9E37_79B9 &+ UInt64(number)),
          pairs: split.training(fold: fold).filter { !leftOut.contains($0) })
      }
    }
  }

  private func members(_ jobs: [Job]) throws -> [Ensemble.Member] {
    for job in jobs where job.pairs.count < 2 {
      throw TrainingError.tooFewPairs(have: job.pairs.count, need: 2)
    }
    return try parallelMap(jobs.count, workers: workers) { try member(jobs[$0]) }
  }

  /// Trains a member, or takes it from its checkpoint.
  private func member(_ job: Job) throws -> Ensemble.Member {
    let configured = configuration.members[job.kind]
    let label = "\(job.name), fold \(job.fold)"
    let checkpoint = checkpoints.map {
      "\($0)-\(Ensemble.Member.fileName(kind: job.name, fold: job.fold))"
    }
    if let checkpoint, FileManager.default.fileExists(atPath: checkpoint) {
      let member = try Ensemble.Member(
        path: checkpoint, configuration: configured, kind: job.kind, fold: job.fold,
        bankSize: split.bank.count)
      progress(counter.advance(by: job.steps, label, loss: 0))
      return member
    }
    let encoder = try job.trainer.train(
      on: corpus, indices: job.pairs, captionGroups: split.captionGroups
    ) { _, loss in
      if isCancelled() { throw TrainingError.cancelled }
      progress(counter.advance(by: 1, label, loss: loss))
    }
    let member = Ensemble.Member(
      encoder, kind: job.kind, fold: job.fold, bank: split.bankPairs, side: configuration.imageSide
    ) { pair, target in
      corpus.withThumbnail(split.bank[pair]) { normalise($0, into: target) }
    }
    if let checkpoint {
      try publish(checkpoint) { try member.write(to: $0, dimension: configured.dimension) }
    }
    return member
  }

  private func ensemble(kinds: Int, _ members: [Ensemble.Member]) -> Ensemble {
    let clusters = sphericalClusters(
      members[0].bankTexts, dimension: configuration.members[0].dimension,
      clusters: max(2, split.bank.count / 20), seed: configuration.seed)
    return Ensemble(
      kinds: Array(configuration.members.prefix(kinds)), folds: configuration.folds,
      imageSide: configuration.imageSide, geometry: configuration.geometry, bank: split.bankPairs,
      members: members, clusterCentres: clusters.centres, bankClusters: clusters.assignment)
  }

  /// The pairs whose out-of-fold score lies below `distrustQuantile` of those of randomly re-paired captions: the more,
  /// the noisier the corpus. Never more than half of a fold: judges that are too weak to tell must not take away what
  /// the final round could learn from.
  private func distrusted(by judges: Ensemble) throws -> Set<Int> {
    let pairs = split.training
    let chunk = 512
    let scores = try parallelMap((pairs.count + chunk - 1) / chunk, workers: workers) { number in
      if isCancelled() { throw TrainingError.cancelled }
      let range = (number * chunk)..<min((number + 1) * chunk, pairs.count)
      return Judge(judges).score(
        range.map { i in
          JudgedPair(
            hash: corpus.hash(pairs[i]), thumbnail: corpus.withThumbnail(pairs[i]) { Array($0) },
            caption: corpus.caption(pairs[i]))
        })
    }.flatMap { $0 }
    let repaired = scores.map { $0.randomRepaired[0] }.sorted()
    let place = Int(configuration.distrustQuantile * Float(repaired.count))
    let threshold = repaired[min(place, repaired.count - 1)]
    var leftOut: Set<Int> = []
    let folds = Dictionary(grouping: pairs.indices) {
      corpus.hash(pairs[$0]).fold(of: configuration.folds)
    }
    for members in folds.values {
      let worst = members.sorted { (scores[$0].observed[0], $0) < (scores[$1].observed[0], $1) }
      for i in worst.prefix(members.count / 2) where scores[i].observed[0] < threshold {
        leftOut.insert(pairs[i])
      }
    }
    return leftOut
  }
}

/// Which pairs are the bank, and which a fold's members learn from.
struct CorpusSplit: Sendable {
  /// Indices into the corpus.
  let bank: [Int]
  let bankPairs: [BankPair]
  /// For each pair, a number shared by the pairs with an equal caption.
  let captionGroups: [Int32]
  private let byFold: [[Int]]

  init(_ corpus: some TrainingCorpus, _ configuration: TrainingConfiguration) {
    let hashes = (0..<corpus.count).map(corpus.hash)
    let order = hashes.indices.sorted { hashes[$0] < hashes[$1] }.prefix(configuration.maxPairs)
    let size = min(configuration.bankSize, order.count / 8)
    bank = Array(order.prefix(size))
    bankPairs = bank.map { BankPair(hash: hashes[$0], caption: corpus.caption($0)) }
    var byFold = [[Int]](repeating: [], count: configuration.folds)
    for index in order.dropFirst(size) {
      byFold[hashes[index].fold(of: configuration.folds)].append(index)
    }
    self.byFold = byFold
    var numbers: [UInt64: Int32] = [:]
    captionGroups = (0..<corpus.count).map { index in
      let hash = captionHash(corpus.caption(index))
      let number = numbers[hash] ?? Int32(numbers.count)
      numbers[hash] = number
      return number
    }
  }

  /// All pairs but the bank, in order of hash within their fold.
  var training: [Int] { byFold.flatMap { $0 } }

  /// The pairs that the members of `fold` learn from: those of all other folds, in order of hash.
  func training(fold: Int) -> [Int] {
    byFold.indices.filter { $0 != fold }.flatMap { byFold[$0] }
  }
}
