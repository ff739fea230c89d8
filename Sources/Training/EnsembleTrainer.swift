import Encoders
import Foundation
import Layers
import TensorFiles

public enum TrainingError: Error, Equatable, CustomStringConvertible {
  /// For judges.
  case tooFewPairs(have: Int, need: Int)
  /// For a model of all pairs.
  case tooFewPairsForModel(have: Int, need: Int)
  /// A snapshot is taken after a step of its own.
  case tooFewSteps(have: Int, snapshots: Int)
  case badCheckpoint(path: String, detail: String)
  /// One of those in which training keeps what it has computed of every pair; the code is errno's.
  case file(path: String, code: Int32)
  /// After this step, loss or weights are no finite numbers.
  case diverged(step: Int)
  case cancelled

  public var description: String {
    switch self {
    case .tooFewPairs(let have, let need):
      "\(have) different readable pairs are too few for judges: at least \(need) are needed; "
        + "add shards, or give trained judges with --ensemble"
    case .tooFewPairsForModel(let have, let need):
      "\(have) different readable pairs are too few to train a model on: at least \(need) are needed; add shards"
    case .tooFewSteps(let have, let snapshots):
      "\(have) steps are too few for \(snapshots) snapshots of a member; set fewer, or more minimumSteps, and another --out"
    case .badCheckpoint(let path, let detail):
      "\(path) can't be gone on with (\(detail)); delete it and run the same command again"
    case .file(let path, let code):
      "\(path), in which training keeps what it has computed of every pair, can't be written or read "
        + "(\(String(cString: strerror(code)))); "
        + ([ENOSPC, EDQUOT, EFBIG].contains(code) ? "make room there" : "see to that")
        + " and run the same command again"
    case .diverged(let step):
      "after step \(step) the loss or the weights are no finite numbers; lower optimiser.peakRate"
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
/// other folds. On the bank, the pairs of lowest hash, none is trained. A dictionary's stem, which all members of its kind
/// share, is learnt from images alone, those of the bank and of every fold among them, and never from a caption.
///
/// Short selection rounds, each with one kind, score every pair by members that had not seen it; the rounds after them
/// leave out those that look no better than re-paired ones. A fold's final members thus learn from pairs chosen by members
/// that had learned from that fold: a small leak that is allowed.
///
/// - Parameters:
///   - corpus: different pairs, in any order.
///   - workers: how many members are trained at a time; the result does not depend on it.
///   - checkpoints: an existing directory where the dictionaries' features and finished members are kept, so that a
///     resumed run goes on with the rest.
///   - key: distinguishes this run's checkpoints from those of another corpus or configuration.
///   - checkpointSeconds: how often a member in training is kept too, so that a run that is killed loses no more.
///   - publish: writes a file whole or not at all: calls the closure with a temporary path, then renames it.
/// - Throws: `TrainingError`, or what `publish` throws.
public func trainEnsemble(
  _ corpus: some TrainingCorpus, configuration: TrainingConfiguration, workers: Int,
  checkpoints: String?, key: String, checkpointSeconds: Double = 120,
  publish: @escaping @Sendable (_ path: String, _ write: (String) throws -> Void) throws -> Void,
  progress: @escaping @Sendable (TrainingProgress) -> Void,
  isCancelled: @escaping @Sendable () -> Bool
) throws -> Ensemble {
  guard corpus.count >= fewestTrainingPairs else {
    throw TrainingError.tooFewPairs(have: corpus.count, need: fewestTrainingPairs)
  }
  let prefix = checkpoints.map { "\($0)/\(key)" }
  let features = try FeatureCaches(
    configuration.members, on: corpus, seed: configuration.seed, checkpoints: prefix,
    publish: publish, workers: workers, isCancelled: isCancelled)
  let trainer = EnsembleTrainer(
    corpus: corpus, configuration: configuration, split: try CorpusSplit(corpus, configuration),
    features: features, workers: workers, checkpoints: prefix,
    checkpointSeconds: checkpointSeconds, publish: publish,
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
  let checkpointSeconds: Double
  let publish: @Sendable (_ path: String, _ write: (String) throws -> Void) throws -> Void
  let progress: @Sendable (TrainingProgress) -> Void
  let isCancelled: @Sendable () -> Bool
  let counter: StepCounter

  /// One member to train.
  struct Job: Sendable {
    /// The trained member and, if they are asked for, its snapshots along training: each a kind of the ensemble.
    var kinds: [MemberConfiguration]
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
      trust.add(try scores(by: try ensemble(try members(jobs)), round: round))
      leftOut = trust.distrusted(quantile: configuration.distrustQuantile) {
        corpus.hash($0).fold(of: configuration.folds)
      }
    }
    counter.expect(done + expected(from: rounds, leftOut: leftOut))
    let final = jobs(kinds: all, round: nil, epochs: configuration.epochs, leftOut: leftOut)
    return try ensemble(try members(final))
  }

  /// - Parameter round: the selection round, nil for the final one.
  private func jobs(kinds: [Int], round: Int?, epochs: Int, leftOut: Set<Int>) -> [Job] {
    kinds.flatMap { kind in
      (0..<configuration.folds).map { fold in
        let number = kind * configuration.folds + fold + 1000 * (round.map { $0 + 1 } ?? 0)
        return Job(
          kinds: configuration.members[kind].kinds(snapshots: round == nil), fold: fold,
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

  /// A kind of member, and its members in the order of their folds.
  private typealias Kind = (configured: MemberConfiguration, members: [Ensemble.Member])

  private func members(_ jobs: [Job]) throws -> [Kind] {
    for job in jobs where job.pairs.count < 2 {
      throw TrainingError.tooFewPairs(have: job.pairs.count, need: 2)
    }
    for job in jobs where job.steps < job.kinds.count {
      throw TrainingError.tooFewSteps(have: job.steps, snapshots: job.kinds.count)
    }
    let trained = try parallelMap(jobs.count, workers: workers) { try members(of: jobs[$0]) }
    return stride(from: 0, to: jobs.count, by: configuration.folds).flatMap { first in
      jobs[first].kinds.indices.map { i in
        (jobs[first].kinds[i], trained[first..<(first + configuration.folds)].map { $0[i] })
      }
    }
  }

  /// Trains a member with its snapshots, or takes them from their checkpoints.
  private func members(of job: Job) throws -> [Ensemble.Member] {
    let label = "\(job.name), fold \(job.fold)"
    let files = job.kinds.indices.map { i in
      checkpoints.map { prefix in
        let name = job.name + job.kinds[i].name.dropFirst(job.kinds[0].name.count)
        return "\(prefix)-\(Ensemble.Member.fileName(kind: name, fold: job.fold))"
      }
    }
    var members = try zip(job.kinds, files).map { try stored($1, $0, fold: job.fold) }
    if members.allSatisfy({ $0 != nil }) {
      progress(counter.advance(by: job.steps, label, loss: 0))
      return members.compactMap { $0 }
    }
    func keep(_ encoder: DualEncoder, as kind: Int) throws {
      guard members[kind] == nil else { return }
      let form = job.kinds[kind].image.thumbnail
      let member = Ensemble.Member(encoder, kind: 0, fold: job.fold, bank: split.bankPairs) {
        corpus.withThumbnail(split.bank[$0], form) { Array($0) }
      }
      // Before its file appears, which would stay.
      guard member.encoder.isFinite, member.mean.isFinite, member.deviation.isFinite else {
        throw TrainingError.diverged(step: trainer.step)
      }
      members[kind] = member
      guard let file = files[kind] else { return }
      try publish(file) { try member.write(to: $0, dimension: job.kinds[kind].dimension) }
      // From now on its weights are the file's, and take no memory.
      members[kind] = try stored(file, job.kinds[kind], fold: job.fold) ?? member
    }
    let text = job.kinds[0].text
    let trainer = Trainer(
      job.recipe, member: job.kinds[0], seed: job.seed,
      tokenizer: text.tokens == .words ? nil : try makeTokenizer(text), on: corpus,
      pairs: job.pairs, groups: split.groups, features: features[job.kinds[0]])
    let unfinished = files[0].map {
      Checkpoint(
        path: "\($0).unfinished", seconds: checkpointSeconds,
        key: ($0 as NSString).lastPathComponent,
        publish: publish)
    }
    try trainer.run(unfinished, isCancelled: isCancelled) { done in
      if done > 0 { progress(counter.advance(by: done, label, loss: 0)) }
    } onStep: { report in
      progress(counter.advance(by: 1, label, loss: report.loss))
      if let snapshot = trainer.plan.snapshot(after: report.step, of: job.kinds.count) {
        try keep(trainer.average(), as: snapshot)
      }
    }
    trainer.optimiser.adoptAverage()
    try keep(trainer.encoder, as: 0)
    unfinished?.remove()
    return members.compactMap { $0 }
  }

  /// A member that was finished before; nil where there is none.
  private func stored(
    _ file: String?, _ configured: MemberConfiguration, fold: Int
  ) throws -> Ensemble.Member? {
    guard let file, FileManager.default.fileExists(atPath: file) else { return nil }
    let tokenizer = try makeTokenizer(configured.text)
    do {
      return try Ensemble.Member(
        path: file, configuration: configured, kind: 0, fold: fold, bankSize: split.bank.count,
        tokenizer: tokenizer)
    } catch let error as TensorFileError {
      throw TrainingError.badCheckpoint(path: file, detail: "\(error)")
    } catch let error as EnsembleError {
      throw TrainingError.badCheckpoint(path: file, detail: "\(error)")
    }
  }

  private func ensemble(_ kinds: [Kind]) throws -> Ensemble {
    var members: [Ensemble.Member] = []
    for (number, kind) in kinds.enumerated() {
      for var member in kind.members {
        member.kind = number
        members.append(member)
      }
    }
    return Ensemble(
      kinds: kinds.map(\.configured), folds: configuration.folds, bank: split.bankPairs,
      members: members, seed: configuration.seed)
  }

  /// Out-of-fold scores of all pairs but the bank by judges of one kind, in the order of `split.training`.
  private func scores(by judges: Ensemble, round: Int) throws -> [Trust.Score] {
    let pairs = split.training
    return try KeptRows.computed(
      pairs.count, bytes: MemoryLayout<Trust.Score>.stride,
      keptAt: checkpoints.map { "\($0)-round\(round + 1)-scores.bin" }, unit: 512,
      workers: workers, isCancelled: isCancelled, state: Judge(judges)
    ) { judge, range, target in
      let scores = judge.score(
        try range.map { i in
          JudgedPair(
            hash: corpus.hash(pairs[i]),
            thumbnails: judges.forms.map { corpus.withThumbnail(pairs[i], $0) { Array($0) } },
            caption: try corpus.caption(pairs[i]))
        })
      for (row, score) in scores.enumerated() {
        target.storeBytes(
          of: Trust.Score(observed: score.observed[0], repaired: score.randomRepaired[0]),
          toByteOffset: row * MemoryLayout<Trust.Score>.stride, as: Trust.Score.self)
      }
    }.all(as: Trust.Score.self)
  }
}

extension MemberConfiguration {
  /// The trained member and, with `snapshots`, one kind for each earlier snapshot: `conv-bag`, `conv-bag.1`, ...
  fileprivate func kinds(snapshots asked: Bool) -> [MemberConfiguration] {
    (0..<(asked ? snapshots : 1)).map { number in
      var kind = self
      kind.snapshots = 1
      if number > 0 { kind.name += ".\(number)" }
      return kind
    }
  }
}
