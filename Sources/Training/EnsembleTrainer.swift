import Encoders
import Foundation
import Layers

public enum TrainingError: Error, Equatable, CustomStringConvertible {
  case tooFewPairs(have: Int, need: Int)
  case badCheckpoint(path: String, detail: String)
  /// The file of a dictionary's features; the code is errno's.
  case featureFile(path: String, code: Int32)
  case cancelled

  public var description: String {
    switch self {
    case .tooFewPairs(let have, let need):
      "\(have) different readable pairs are too few to learn judges from: at least \(need) are needed; "
        + "add shards, or give trained judges with --ensemble"
    case .badCheckpoint(let path, let detail):
      "\(path) can't be gone on with (\(detail)); delete it and run the same command again"
    case .featureFile(let path, let code):
      "\(path), which holds the images' features while judges are trained, can't be written or read "
        + "(\(String(cString: strerror(code)))); make room there, or have fewer pairs with maxPairs"
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
/// Short selection rounds, each with one kind, score every pair by members that had not seen it; the rounds after them
/// leave out those that look no better than re-paired ones. (DESIGN.md, "Method": a second round on what the first one
/// trusted.) A fold's final members thus learn from pairs chosen by members that had learned from that fold: the small
/// leak that DESIGN.md allows.
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
  let features = try FeatureCaches(
    configuration.members, on: corpus, seed: configuration.seed, directory: checkpoints,
    workers: workers, isCancelled: isCancelled)
  let trainer = EnsembleTrainer(
    corpus: corpus, configuration: configuration, split: CorpusSplit(corpus, configuration),
    features: features,
    workers: workers, checkpoints: checkpoints.map { "\($0)/\(key)" }, publish: publish,
    progress: progress, isCancelled: isCancelled, counter: StepCounter())
  return try trainer.train()
}

private struct EnsembleTrainer<Corpus: TrainingCorpus>: Sendable {
  let corpus: Corpus
  let configuration: TrainingConfiguration
  let split: CorpusSplit
  let features: FeatureCaches
  let workers: Int
  /// Path prefix of the checkpoints.
  let checkpoints: String?
  let publish: @Sendable (_ path: String, _ write: (String) throws -> Void) throws -> Void
  let progress: @Sendable (TrainingProgress) -> Void
  let isCancelled: @Sendable () -> Bool
  let counter: StepCounter

  /// One member to train.
  struct Job: Sendable {
    /// Its place in the round's ensemble.
    var kind: Int
    var configured: MemberConfiguration
    var fold: Int
    var name: String
    var recipe: Recipe
    var seed: UInt64
    /// Indices into the corpus.
    var pairs: [Int]
    var steps: Int { recipe.plan(pairs: pairs.count).steps }
  }

  func train() throws -> Ensemble {
    let all = Array(configuration.members.indices)
    let rounds = configuration.selectionRounds
    let selecting = configuration.selectionEpochs
    func selection(_ round: Int, leftOut: Set<Int>) -> [Job] {
      jobs(kinds: [round % all.count], round: round, epochs: selecting, leftOut: leftOut)
    }
    func expected(from round: Int, leftOut: Set<Int>) -> Int {
      ((round..<rounds).flatMap { selection($0, leftOut: leftOut) }
        + jobs(kinds: all, round: nil, epochs: configuration.epochs, leftOut: leftOut))
        .map(\.steps).reduce(0, +)
    }
    var leftOut: Set<Int> = []
    var trust = Trust(split.training)
    var done = 0
    for round in 0..<rounds {
      counter.expect(done + expected(from: round, leftOut: leftOut))
      let jobs = selection(round, leftOut: leftOut)
      done += jobs.map(\.steps).reduce(0, +)
      trust.add(try scores(by: ensemble(kinds: [round % all.count], try members(jobs))))
      leftOut = trust.distrusted(quantile: configuration.distrustQuantile) {
        corpus.hash($0).fold(of: configuration.folds)
      }
    }
    counter.expect(done + expected(from: rounds, leftOut: leftOut))
    let final = jobs(kinds: all, round: nil, epochs: configuration.epochs, leftOut: leftOut)
    return ensemble(kinds: all, try members(final))
  }

  /// - Parameter round: the selection round, nil for the final one.
  private func jobs(kinds: [Int], round: Int?, epochs: Int, leftOut: Set<Int>) -> [Job] {
    kinds.flatMap { kind in
      (0..<configuration.folds).map { fold in
        let number = kind * configuration.folds + fold + 1000 * (round.map { $0 + 1 } ?? 0)
        return Job(
          kind: round == nil ? kind : 0, configured: configuration.members[kind], fold: fold,
          name: (round.map { "round\($0 + 1)." } ?? "") + configuration.members[kind].name,
          recipe: configuration.recipe(
            epochs: epochs,
            minimumSteps: configuration.minimumSteps / (round == nil ? 1 : 2)),
          seed: (configuration.members[kind].seed ?? configuration.seed) &* 0x9E37_79B9
            &+ UInt64(number),
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
    let configured = job.configured
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
    let trainer = Trainer(
      job.recipe, member: configured, seed: job.seed, on: corpus, pairs: job.pairs,
      groups: split.groups, features: features[configured])
    let unfinished = checkpoint.map {
      Checkpoint(
        path: "\($0).unfinished", seconds: 120, key: ($0 as NSString).lastPathComponent,
        publish: publish)
    }
    try trainer.run(unfinished, isCancelled: isCancelled) { done in
      if done > 0 { progress(counter.advance(by: done, label, loss: 0)) }
    } onStep: { report in
      progress(counter.advance(by: 1, label, loss: report.loss))
    }
    trainer.optimiser.adoptAverage()
    let member = Ensemble.Member(
      trainer.encoder, kind: job.kind, fold: job.fold, bank: split.bankPairs
    ) { pair in
      corpus.withThumbnail(split.bank[pair], configured.image.thumbnail) { Array($0) }
    }
    if let checkpoint {
      try publish(checkpoint) { try member.write(to: $0, dimension: configured.dimension) }
      unfinished?.remove()
    }
    return member
  }

  private func ensemble(kinds: [Int], _ members: [Ensemble.Member]) -> Ensemble {
    let clusters = sphericalClusters(
      members[0].bankTexts, dimension: configuration.members[kinds[0]].dimension,
      clusters: max(2, split.bank.count / 20), seed: configuration.seed)
    return Ensemble(
      kinds: kinds.map { configuration.members[$0] }, folds: configuration.folds,
      bank: split.bankPairs, members: members, clusterCentres: clusters.centres,
      bankClusters: clusters.assignment)
  }

  /// Out-of-fold scores of all pairs but the bank, in the order of `split.training`.
  private func scores(by judges: Ensemble) throws -> [PairScores] {
    let pairs = split.training
    let chunk = 512
    return try parallelMap((pairs.count + chunk - 1) / chunk, workers: workers) { number in
      if isCancelled() { throw TrainingError.cancelled }
      let range = (number * chunk)..<min((number + 1) * chunk, pairs.count)
      return Judge(judges).score(
        range.map { i in
          JudgedPair(
            hash: corpus.hash(pairs[i]),
            thumbnails: judges.forms.map { corpus.withThumbnail(pairs[i], $0) { Array($0) } },
            caption: corpus.caption(pairs[i]))
        })
    }.flatMap { $0 }
  }
}

/// Which pairs are the bank, and which a fold's members learn from.
struct CorpusSplit: Sendable {
  /// Indices into the corpus.
  let bank: [Int]
  let bankPairs: [BankPair]
  let groups: PairGroups
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
    groups = PairGroups(corpus)
  }

  /// All pairs but the bank, in order of hash within their fold.
  var training: [Int] { byFold.flatMap { $0 } }

  /// The pairs that the members of `fold` learn from: those of all other folds, in order of hash.
  func training(fold: Int) -> [Int] {
    byFold.indices.filter { $0 != fold }.flatMap { byFold[$0] }
  }
}
