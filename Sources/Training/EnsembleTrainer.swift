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
  let split = CorpusSplit(corpus, configuration)
  let jobs = configuration.members.indices.flatMap { kind in
    (0..<configuration.folds).map { (kind: kind, fold: $0) }
  }
  let trainers = jobs.map { job in
    MemberTrainer(
      configuration, member: configuration.members[job.kind],
      seed: configuration.seed &* 0x9E37_79B9 &+ UInt64(job.kind * configuration.folds + job.fold))
  }
  let steps = zip(jobs, trainers).map { $1.steps(pairs: split.training(fold: $0.fold).count) }
  let counter = StepCounter(total: steps.reduce(0, +))

  let members = try parallelMap(jobs.count, workers: workers) { index in
    let (kind, fold) = jobs[index]
    let configured = configuration.members[kind]
    let label = "\(configured.name), fold \(fold)"
    let file = Ensemble.Member.fileName(kind: configured.name, fold: fold)
    let checkpoint = checkpoints.map { "\($0)/\(key)-\(file)" }
    if let checkpoint, FileManager.default.fileExists(atPath: checkpoint) {
      let member = try Ensemble.Member(
        path: checkpoint, configuration: configured, kind: kind, fold: fold,
        bankSize: split.bank.count)
      progress(counter.advance(by: steps[index], label, loss: 0))
      return member
    }
    let encoder = try trainers[index].train(
      on: corpus, indices: split.training(fold: fold), captionGroups: split.captionGroups
    ) { _, loss in
      if isCancelled() { throw TrainingError.cancelled }
      progress(counter.advance(by: 1, label, loss: loss))
    }
    let member = Ensemble.Member(
      encoder, kind: kind, fold: fold, bank: split.bankPairs, side: configuration.imageSide
    ) { pair, target in
      corpus.withThumbnail(split.bank[pair]) { normalise($0, into: target) }
    }
    if let checkpoint {
      try publish(checkpoint) { try member.write(to: $0, dimension: configured.dimension) }
    }
    return member
  }
  let dimension = configuration.members[0].dimension
  let clusters = sphericalClusters(
    members[0].bankTexts, dimension: dimension, clusters: max(2, split.bank.count / 20),
    seed: configuration.seed)
  return Ensemble(
    kinds: configuration.members, folds: configuration.folds, imageSide: configuration.imageSide,
    geometry: configuration.geometry, bank: split.bankPairs, members: members,
    clusterCentres: clusters.centres, bankClusters: clusters.assignment)
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

  /// The pairs that the members of `fold` learn from: those of all other folds, in order of hash.
  func training(fold: Int) -> [Int] {
    byFold.indices.filter { $0 != fold }.flatMap { byFold[$0] }
  }
}
