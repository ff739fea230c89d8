import ConfidentLearning
import Encoders
import Foundation
import Shards

/// The commands that work on an output folder. They share their stages and their state, so `train`, `score`, `fit` and
/// `filter` one after another write what `clean` writes.
public enum Run {
  /// Trains the judges: `DIR/ensemble`.
  public static func train(_ shards: ShardSelection, in run: RunContext) throws -> RunResult {
    try locked(run, shards) {
      let damaged = try checked(in: run)
      // Of a corpus that they have learnt from, and which may have grown, the judges stay.
      let log = try IncrementLog(of: run.directory)
      let isTrained = FileManager.default.fileExists(atPath: run.directory.ensemble)
      let first = log.finished > 0 || isTrained ? log.pinned.first : nil
      let increment = try first ?? goOn(with: shards.shards, for: .judges, in: run)
      if !isTrained { try IncrementLog(of: run.directory).renewOpen(in: run) }
      return RunResult(
        faults: try TrainStage.run(increment, in: run).faults, damaged: damaged)
    }
  }

  /// Trains one model on the pairs, which Winnow may have cleaned, and on unpaired text: `DIR/model`, `DIR/train.jsonl`.
  public static func trainModel(
    _ shards: ShardSelection, texts: TextSelection, in run: RunContext
  ) throws -> RunResult {
    try locked(run, shards, acceptsOutput: true) {
      let isFinished = FileManager.default.fileExists(atPath: run.directory.model)
      let increment = try goOn(
        with: shards.shards, for: .training, isFinished: isFinished, in: run)
      let unpaired = try run.stage(.pin) {
        try Increment.goOn(
          with: ShardPaths(texts.files), of: "text", pinnedIn: run.directory.texts, for: .training,
          isFinished: isFinished, in: run)
      }
      return RunResult(faults: try ModelStage.run(increment, texts: unpaired, in: run))
    }
  }

  /// Judges every pair, or this process' share of the shards.
  public static func score(
    _ shards: ShardSelection, ensemble: String?, in run: RunContext
  ) throws -> RunResult {
    try locked(run, shards) {
      let damaged = try checked(in: run)
      guard
        let (increment, judges) = try run.alone({ () throws -> (Increment, Judges)? in
          guard let increment = try current(shards, rescores: true, in: run) else { return nil }
          try Settings.pin(ScoreStage.sections, in: run)
          return (increment, try EnsembleStage.adopt(ensemble, in: run))
        })
      else { return try nothingNew(ensemble: ensemble, ScoreStage.sections, damaged, in: run) }
      let judged = try run.stage(.score) {
        try ScoreStage.run(increment, judges: judges, in: run)
      }
      return RunResult(
        newShards: judged.shards, newPairs: judged.pairs, faults: judged.faults, damaged: damaged)
    }
  }

  /// Fits the noise model on the scores of `directories`: `DIR/noise-model.json`.
  public static func fit(
    _ directories: [RunDirectory], in run: RunContext
  ) throws -> NoiseModelFile {
    try FitStage.check(directories)
    return try locked(run) {
      let paths = directories.map { absolutePath($0.path) }
      let isOwn = paths == [absolutePath(run.directory.path)]
      if isOwn { _ = try checked(in: run) }
      let log = try IncrementLog(of: run.directory)
      if isOwn, log.pinned.count > 1 {
        try OutputCheck.checkPresent(run.directory.noiseModel, in: run)
        run.observe(.note("the noise model stays: shards that it cut are published"))
        return try NoiseModelFile(of: run.directory)
      }
      return try run.stage(.fit) { try FitStage.run(directories, in: run) }
    }
  }

  /// Writes the clean shards from the scores and the noise model in the folder; or this process' share of them, and then
  /// `publish` ends it.
  public static func filter(_ shards: ShardSelection, in run: RunContext) throws -> RunResult {
    try locked(run, shards) {
      let damaged = try checked(in: run)
      let sections = ScoreStage.readingSections + [.write]
      let work = try run.alone {
        () throws -> (order: WriteOrder, faults: [(path: String, message: String)])? in
        guard let increment = try current(shards, rescores: false, in: run) else { return nil }
        try Settings.pin(ScoreStage.readingSections, in: run)
        let (noise, scored) = try FitStage.reuse(for: increment, in: run)
        return (try WriteOrder(increment, kinds: scored.kinds, noise, in: run), scored.faults)
      }
      guard let (order, faults) = work else {
        return try nothingNew(ensemble: nil, sections, damaged, in: run)
      }
      try order.write(in: run)
      guard run.rank.isWhole else { return RunResult(faults: faults, damaged: damaged) }
      var result = try order.publish(in: run)
      result.damaged = damaged
      notePolicy(for: result.drift, in: run)
      return result
    }
  }

  /// Ends an increment that several processes filtered: counts what they wrote, and writes the manifest.
  public static func publish(in run: RunContext) throws -> RunResult {
    try locked(run) {
      try run.directory.checkOrigin()
      let damaged = try checked(in: run)
      let log = try IncrementLog(of: run.directory)
      guard let increment = log.open.first else {
        return try nothingNew(ensemble: nil, [], damaged, in: run)
      }
      guard run.directory.isPlanned(increment.index) else {
        throw RunError.missing(
          file: run.directory.plan(increment.index), remedy: "run `winnow filter` first")
      }
      // As it was filtered.
      var run = run
      run.configuration.write = try Settings.provenance(in: run).write ?? WriteConfiguration()
      let refresh = try Settings.keptRefresh(in: run)
      run.configuration.refresh = refresh ?? run.configuration.refresh
      let (noise, scored) = try FitStage.reuse(for: increment, in: run)
      let order = try WriteOrder(increment, kinds: scored.kinds, noise, in: run)
      var result = try order.publish(in: run)
      result.damaged = damaged
      notePolicy(for: result.drift, in: run)
      return result
    }
  }

  /// The policy for drift is carried out by `clean` alone, which has all shards.
  private static func notePolicy(for drift: Drift?, in run: RunContext) {
    let policy = run.configuration.refresh.onDrift
    guard drift != nil, policy != .report else { return }
    let judges = policy == .refit ? " --ensemble \(run.directory.path)" : ""
    run.observe(
      .note(
        "refresh.onDrift \(policy.rawValue) isn't carried out where the stages are run one by one; "
          + "`winnow clean --rebuild\(judges)` over all shards does it"))
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
      run.commands.allow(shards)
    }
    let isNew = !FileManager.default.fileExists(atPath: run.directory.path)
    let lock = try RunLock(run.directory, rank: run.rank)
    defer {
      // What a rebuild put in its place may be another process' by now.
      withExtendedLifetime(lock) {
        guard lock.isInPlace else { return }
        try? FileManager.default.removeItem(atPath: run.directory.temporary)
        if run.rank.isWhole { run.directory.takeBack(withFolder: isNew) }
      }
    }
    try run.directory.prepare()
    run.timings.resume(in: run.directory)
    return try body()
  }

  /// Pins the shards, all of them, as what the folder is made of; or goes on with those that are pinned.
  static func goOn(
    with list: ShardPaths, for work: Increment.Work, isFinished: Bool = false, in run: RunContext
  ) throws -> Increment {
    try run.stage(.pin) {
      try Increment.goOn(
        with: list, pinnedIn: run.directory.increment(0), for: work, isFinished: isFinished,
        in: run)
    }
  }

  /// Finishes what a killed `restore` left, then looks at what is published.
  private static func checked(in run: RunContext) throws -> [DamagedFile] {
    try run.alone {
      try Restoring.finish(in: run)
      return try OutputCheck.run(IncrementLog(of: run.directory), in: run)
    }
  }

  /// The increment to work on: the one that is open, else what is new, pinned; nil when nothing is.
  private static func current(
    _ shards: ShardSelection, rescores: Bool, in run: RunContext
  ) throws -> Increment? {
    try run.stage(.pin) {
      var log = try IncrementLog(of: run.directory)
      let survey = try log.survey(shards, rescores: rescores, in: run)
      survey.tell(run.observe)
      return try log.open.first ?? log.pin(survey, in: run)
    }
  }

  /// The finished run in this folder. The libraries may have changed since: nothing is computed any more.
  /// - Throws: `RunError.otherSettings`, `.otherEnsemble` where it isn't what is asked for.
  static func nothingNew(
    ensemble: String?, _ sections: [Settings.Section], _ damaged: [DamagedFile], in run: RunContext
  ) throws -> RunResult {
    let manifest = try checkFinished(ensemble: ensemble, sections, in: run)
    run.timings.close(in: run.directory)
    let faults = try ManifestFile(path: run.directory.manifest).faults(of: manifest)
    return RunResult(manifest: manifest, isNothingNew: true, faults: faults, damaged: damaged)
  }

  /// - Throws: as `nothingNew`.
  static func checkFinished(
    ensemble: String?, _ sections: [Settings.Section], in run: RunContext
  ) throws -> Manifest {
    try Settings.compare(sections, in: run)
    let manifest = try Manifest(of: run.directory)
    if let ensemble {
      let judges = try EnsembleStage.judges(at: ensemble)
      let present = manifest.provenance.ensembleDigest
      guard judges.digest == present else {
        throw EnsembleStage.otherEnsemble(in: run, present, judges)
      }
    }
    return manifest
  }
}
