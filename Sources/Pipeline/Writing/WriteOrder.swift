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
    try Settings.keepRefresh(in: run)
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

  /// Writes this process' share.
  func write(in run: RunContext) throws {
    try run.stage(.write) {
      try WriteStage.run(units, increment, kinds: kinds, model: noise.model, in: run)
    }
  }

  /// The manifest, which closes the increment.
  /// - Throws: `RunError.missing` for an output shard that isn't written, `.ledger` where the sums don't add up.
  func publish(in run: RunContext) throws -> RunResult {
    let drift = try FitStage.drift(of: increment, in: run)
    if increment.index > 0, !FileManager.default.fileExists(atPath: run.directory.fittedScores) {
      run.observe(
        .note(
          "\(run.directory.fittedScores) is missing: whether the new pairs score like those that the noise model was "
            + "fitted on isn't told; --rebuild makes it again"))
    }
    var outputs: [Plan.Destination: [Manifest.Output]] = [:]
    var written = WrittenCounts(shards: increment.shards.count, firstShard: increment.firstShard)
    for unit in units {
      let record = try WriteStage.record(of: unit, in: run)
      try written.add(record)
      outputs[unit.destination, default: []].append(
        Manifest.Output(
          file: record.file, pairs: record.pairs, bytes: record.bytes, digest: record.digest))
    }
    let shards = "\(run.directory.temporary)/\(UInt64.random(in: 0 ... .max))-shards"
    defer { unlink(shards) }
    let (ledger, scored) = try count(written, listing: shards, in: run)
    var manifest = try Manifest(
      after: earlier, increment: increment, share: ledger, outputs: outputs,
      kinds: kinds, noise: noise, drift: drift, in: run)
    try Restoring.recover(&manifest, in: run)
    let file = ManifestFile(path: run.directory.manifest)
    try file.publish(
      manifest, after: earlier == nil ? nil : file,
      adding: ManifestFile.Addition(increment: increment, shards: shards), in: run)
    run.timings.close(in: run.directory)
    var result = RunResult(manifest: manifest, faults: scored.faults)
    result.newShards = increment.shards.count
    result.newPairs = scored.pairs
    result.cleanShards = manifest.clean.dropFirst(earlier?.clean.count ?? 0).map {
      "\(run.directory.clean)/\($0.file)"
    }
    if let drift, drift.isDrift { result.drift = drift }
    return result
  }

  /// Holds what was read against what was written, shard by shard.
  /// - Parameter file: gets the manifest's line of every shard.
  /// - Returns: the sum, and what came of scoring.
  private func count(
    _ written: WrittenCounts, listing file: String, in run: RunContext
  ) throws -> (Ledger, ScoreSummary) {
    var sum = Ledger()
    var scored = ScoreSummary()
    var lines = try LineWriter(file, for: run.directory.manifest)
    try ScoreFiles.forEachRecord(of: increment, in: run.directory) { i, record in
      let shard = increment.shards[i]
      let ledger = try Ledger(read: record, written: written[i])
      sum.add(ledger)
      scored.add(record, of: shard)
      let line = try ManifestFile.line(
        Manifest.Shard(
          path: shard.path, digest: shard.digest, ledger: ledger, fault: record.fault,
          message: record.message, report: record.report))
      try lines.write(line + Data("\n".utf8))
    }
    try lines.close()
    return (sum, scored)
  }
}
