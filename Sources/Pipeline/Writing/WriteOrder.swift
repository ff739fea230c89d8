import ConfidentLearning
import Foundation

/// An increment decided and planned: what is left is to write its output shards and to tell of them.
struct WriteOrder {
  let increment: Increment
  /// Names of the score columns.
  let kinds: [String]
  let noise: NoiseModelFile
  private let units: [Plan.Unit]
  /// Of the increments before.
  private let earlier: Manifest?

  /// Decides and plans, where that isn't done yet.
  init(
    _ increment: Increment, kinds: [String], _ noise: NoiseModelFile, in run: RunContext
  ) throws {
    (self.increment, self.kinds, self.noise) = (increment, kinds, noise)
    try Settings.pin([.write], in: run)
    earlier = try Self.earlier(increment, in: run)
    try run.stage(.decide) { try DecideStage.run(increment, model: noise.model, in: run) }
    let before = earlier
    units = try run.stage(.write) { try WriteStage.plan(increment, after: before, in: run) }
  }

  /// A manifest that was lost is made again, from the first increment on.
  private static func earlier(_ increment: Increment, in run: RunContext) throws -> Manifest? {
    guard increment.index > 0 else { return nil }
    let manifest = try Manifest(of: run.directory)
    guard manifest.increments.count == increment.index else {
      throw RunError.damagedState(
        file: run.directory.manifest,
        detail: "it tells of \(manifest.increments.count) increments, not of \(increment.index)")
    }
    return manifest
  }

  /// The shards that couldn't be read to their end when they were scored.
  static func faults(
    of increment: Increment, _ records: [ShardScores]
  ) -> [(path: String, message: String)] {
    zip(increment.shards, records).compactMap { shard, record in
      record.faultText.map { (shard.path, $0) }
    }
  }

  /// Writes this process' share.
  func write(in run: RunContext) throws {
    try run.stage(.write) {
      try WriteStage.run(units, increment, kinds: kinds, model: noise.model, in: run)
    }
  }

  /// The manifest, which closes the increment.
  /// - Throws: `RunError.missing` for an output shard that isn't written, `.ledger` where the sums don't add up.
  func publish(in run: RunContext) throws -> RunResult {
    let records = try ScoreFiles.records(of: increment, in: run.directory)
    let drift = try FitStage.drift(of: increment, in: run)
    let written = try WriteStage.records(of: units, in: run)
    var manifest = try Manifest(
      after: earlier, increment: increment, records: records, units: written, plan: units,
      noise: noise, drift: drift, in: run)
    try Restoring.recover(&manifest, in: run)
    try run.publishing.publish(json: manifest, to: run.directory.manifest)
    run.timings.close(in: run.directory)
    var result = RunResult(manifest: manifest, faults: Self.faults(of: increment, records))
    result.newShards = increment.shards.count
    result.newPairs = records.reduce(0) { $0 + $1.read }
    result.cleanShards = manifest.clean.dropFirst(earlier?.clean.count ?? 0).map {
      "\(run.directory.clean)/\($0.file)"
    }
    if let drift, drift.isDrift { result.drift = drift }
    return result
  }
}
