import ConfidentLearning
import Foundation
import Layers

/// Stage "decide": scores and noise model to a verdict on every sample, one file a shard.
enum DecideStage {
  /// Pairs of a shard that may have the key of the one before them, kept or dropped like it. An output shard ends between
  /// such two, and a hostile shard must not make a million output shards.
  static let maxRepeats = 1000

  static func run(_ increment: Increment, model: NoiseModel, in run: RunContext) throws {
    try run.directory.makeFolder(run.directory.decisions)
    let progress = ProgressCounter(.decide, total: increment.shards.count, observe: run.observe)
    _ = try parallelMap(increment.shards.count, workers: run.workers) { i in
      try run.cancellation.check()
      defer { progress.add(done: 1) }
      let path = run.decisionPath(i, increment)
      if FileManager.default.fileExists(atPath: path) { return }
      let scores = ScoreFiles(i, of: increment, in: run.directory).table
      let isLarge = (try? FileIdentity(of: scores).size) ?? 0 > LargeShards.bytes
      if isLarge { run.largeShards.begin() }
      defer { if isLarge { run.largeShards.end() } }
      try run.cancellation.check()
      let table = try ScoreTable(path: scores)
      var decisions = decide(table, model: model)
      dropRepeats(from: &decisions, shard: increment.firstShard + i)
      try run.publishing.publish(path) { try decisions.write(to: $0) }
    }
  }

  static func decide(_ table: ScoreTable, model: NoiseModel) -> DecisionTable {
    var decisions = DecisionTable(kinds: table.kinds)
    decisions.keys = table.keys
    decisions.scores = table.observed
    for i in 0..<table.count {
      let isJudged = table.parts[i] >= 0
      let score = table.combined[i]
      let keeps = isJudged && model.keeps(score)
      decisions.mismatch.append(isJudged ? model.mismatch(score) : .nan)
      decisions.cautiousMismatch.append(isJudged ? model.cautiousMismatch(score) : .nan)
      decisions.kept.append(keeps)
      decisions.reasons.append(keeps ? "" : isJudged ? Reason.mismatch : table.reasons[i])
    }
    return decisions
  }

  /// Drops the pairs that would end an output shard once more than they may.
  /// - Parameter shard: its number in the folder.
  static func dropRepeats(from decisions: inout DecisionTable, shard: Int) {
    var neighbours: [Plan.Destination: NeighbouringKeys] = [:]
    var repeats = 0
    for row in 0..<decisions.count {
      let key = decisions.keys[row]
      if let destination = decisions.destination(row), Reason.isOfPair(decisions.reasons[row]),
        neighbours[destination]?.contains(key) == true
      {
        repeats += 1
        if repeats > maxRepeats {
          decisions.kept[row] = false
          decisions.reasons[row] = Reason.repeatedKey
        }
      }
      guard let destination = decisions.destination(row) else { continue }
      _ = neighbours[destination, default: NeighbouringKeys()].add(
        key, reason: decisions.reasons[row], shard, row)
    }
  }
}

extension RunContext {
  func decisionPath(_ i: Int, _ increment: Increment) -> String {
    "\(directory.decisions)/\(RunDirectory.stem(increment.firstShard + i, increment.shards[i].name)).npz"
  }
}
