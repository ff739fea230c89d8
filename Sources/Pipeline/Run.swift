import Encoders
import Foundation
import Shards

/// What a command left behind.
public struct RunResult: Sendable {
  /// Nil where the command ends before the shards are written.
  public var manifest: Manifest?
  /// Paths of the clean shards this command wrote.
  public var cleanShards: [String] = []
  /// True when everything asked for was there already.
  public var isNothingNew = false
  /// Shards that couldn't be read to their end: path and what happened.
  public var faults: [(path: String, message: String)] = []

  /// 0, or 3 when a shard couldn't be read to its end.
  public var exitStatus: Int32 { faults.isEmpty || isNothingNew ? 0 : 3 }
}

/// The commands that work on an output folder. They share their stages and their state, so `train`, `score`, `fit` and
/// `filter` one after another write what `clean` writes.
public enum Run {
  /// Everything, in one resumable run.
  /// - Parameter ensemble: judges trained earlier; nil to train them on `shards`.
  /// - Throws: `RunError`, or the typed error of the room that failed.
  public static func clean(
    _ shards: ShardSelection, ensemble: String? = nil, in run: RunContext
  ) throws -> RunResult {
    try locked(run, shards) {
      let increment = try pin(shards, in: run)
      if let done = try finished(
        increment, ensemble: ensemble, Settings.Section.allCases, in: run)
      {
        return done
      }
      let judges =
        try ensemble.map { try EnsembleStage.adopt($0, in: run) }
        ?? TrainStage.run(increment, in: run).judges
      let records = try run.stage(.score) {
        try ScoreStage.run(increment, judges: judges, in: run)
      }
      let noise = try run.stage(.fit) { try FitStage.run([run.directory], in: run) }
      return try write(increment, records, noise, in: run)
    }
  }

  /// Trains the judges: `DIR/ensemble`.
  public static func train(_ shards: ShardSelection, in run: RunContext) throws -> RunResult {
    try locked(run, shards) {
      let increment = try pin(shards, in: run)
      return RunResult(faults: try TrainStage.run(increment, in: run).faults)
    }
  }

  /// Trains one model on the pairs, which Winnow may have cleaned, and on unpaired text: `DIR/model`, `DIR/train.jsonl`.
  public static func trainModel(
    _ shards: ShardSelection, texts: TextSelection, in run: RunContext
  ) throws -> RunResult {
    try locked(run, shards, acceptsOutput: true) {
      let increment = try pin(shards, in: run)
      let texts = try run.stage(.pin) {
        try Increment.pin(texts.files, to: run.directory.texts, in: run)
      }
      return RunResult(faults: try ModelStage.run(increment, texts: texts, in: run))
    }
  }

  /// Judges every pair.
  public static func score(
    _ shards: ShardSelection, ensemble: String?, in run: RunContext
  ) throws -> RunResult {
    try locked(run, shards) {
      let increment = try pin(shards, in: run)
      let judges = try EnsembleStage.adopt(ensemble, in: run)
      let records = try run.stage(.score) {
        try ScoreStage.run(increment, judges: judges, in: run)
      }
      return RunResult(faults: faults(increment, records))
    }
  }

  /// Fits the noise model on the scores of `directories`: `DIR/noise-model.json`.
  public static func fit(
    _ directories: [RunDirectory], in run: RunContext
  ) throws -> NoiseModelFile {
    try FitStage.check(directories)
    return try locked(run) {
      try run.stage(.fit) { try FitStage.run(directories, in: run) }
    }
  }

  /// Writes the clean shards from the scores and the noise model in the folder.
  public static func filter(_ shards: ShardSelection, in run: RunContext) throws -> RunResult {
    try locked(run, shards) {
      let increment = try pin(shards, in: run)
      if let done = try finished(increment, ScoreStage.readingSections + [.write], in: run) {
        return done
      }
      try Settings.pin(ScoreStage.readingSections, in: run)
      let noise = try NoiseModelFile(of: run.directory)
      let records = try ScoreFiles.records(of: increment, in: run.directory)
      for record in records where record.ensembleDigest != noise.ensembleDigest {
        throw RunError.otherEnsemble(
          file: run.directory.noiseModel, has: noise.ensembleDigest, wanted: record.ensembleDigest,
          remedy: "run `winnow fit` on the folder's own scores")
      }
      for record in records where record.scoring != noise.scoring {
        throw RunError.usage(
          "\(run.directory.noiseModel) is of \(noise.scoring.rawValue) scores, the folder's are of "
            + "\(record.scoring.rawValue): run `winnow fit` on the folder's own scores")
      }
      return try write(increment, records, noise, in: run)
    }
  }

  /// Holds the folder while `body` works in it; makes it once nothing speaks against it.
  static func locked<R>(
    _ run: RunContext, _ shards: ShardSelection? = nil, acceptsOutput: Bool = false,
    _ body: () throws -> R
  ) throws -> R {
    if let shards {
      guard !shards.isEmpty else { throw RunError.usage("no shards given") }
      try shards.checkApart(from: run.directory, acceptsOutput: acceptsOutput)
      try run.directory.checkOrigin()
    }
    let lock = try RunLock(run.directory)
    defer {
      withExtendedLifetime(lock) {
        try? FileManager.default.removeItem(atPath: run.directory.temporary)
      }
    }
    try run.directory.prepare()
    run.timings.resume(in: run.directory)
    return try body()
  }

  static func pin(_ shards: ShardSelection, in run: RunContext) throws -> Increment {
    try run.stage(.pin) { try Increment.pin(shards, in: run) }
  }

  /// The finished run in this folder, if it is what is asked for. The libraries may have changed since: nothing is
  /// computed any more.
  private static func finished(
    _ increment: Increment, ensemble: String? = nil, _ sections: [Settings.Section],
    in run: RunContext
  ) throws -> RunResult? {
    guard FileManager.default.fileExists(atPath: run.directory.manifest) else { return nil }
    try Settings.compare(sections, in: run)
    let manifest = try Manifest(of: run.directory)
    guard manifest.shards.map(\.digest) == increment.shards.map(\.digest) else {
      throw RunError.otherShards(
        directory: run.directory.path, detail: "manifest.json lists other bytes")
    }
    if let ensemble {
      let judges = try EnsembleStage.judges(at: ensemble)
      let present = manifest.provenance.ensembleDigest
      guard judges.digest == present else {
        throw EnsembleStage.otherEnsemble(in: run, present, judges)
      }
    }
    let faults = manifest.shards.compactMap { shard in
      shard.fault.map { (shard.path, shard.message ?? $0) }
    }
    return RunResult(manifest: manifest, isNothingNew: true, faults: faults)
  }

  private static func write(
    _ increment: Increment, _ records: [ShardScores], _ noise: NoiseModelFile, in run: RunContext
  ) throws -> RunResult {
    try Settings.pin([.write], in: run)
    try run.stage(.decide) { try DecideStage.run(increment, model: noise.model, in: run) }
    let (plan, units) = try run.stage(.write) {
      let plan = try WriteStage.plan(increment, in: run)
      let kinds = records.first?.kinds ?? []
      let units = try WriteStage.run(
        plan, increment, kinds: kinds, model: noise.model, in: run)
      return (plan, units)
    }
    let manifest = try Manifest(
      increment: increment, records: records, units: units, plan: plan, noise: noise, in: run)
    try run.publishing.publish(json: manifest, to: run.directory.manifest)
    var result = RunResult(manifest: manifest, faults: faults(increment, records))
    result.cleanShards = manifest.clean.map { "\(run.directory.clean)/\($0.file)" }
    return result
  }

  private static func faults(
    _ increment: Increment, _ records: [ShardScores]
  ) -> [(path: String, message: String)] {
    zip(increment.shards, records).compactMap { shard, record in
      record.fault.map { (shard.path, record.message ?? $0) }
    }
  }
}
