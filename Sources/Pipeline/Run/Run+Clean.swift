import ConfidentLearning
import Foundation
import Shards

extension Run {
  /// Everything, in one resumable run: finishes what an earlier run began, then judges the shards that are new.
  ///
  /// - Parameters:
  ///   - ensemble: judges trained earlier; nil to train them on `shards`, or to go on with the folder's own.
  ///   - rebuilds: makes all output anew from `shards`, beside the folder, and swaps the two.
  /// - Throws: `RunError`, or the typed error of the room that failed.
  public static func clean(
    _ shards: ShardSelection, ensemble: String? = nil, rebuilds: Bool = false, in run: RunContext
  ) throws -> RunResult {
    try locked(run, shards) {
      if rebuilds { return try Rebuild.run(shards, ensemble: ensemble, in: run) }
      return try cleanIncrements(shards, ensemble: ensemble, in: run)
    }
  }

  /// Under the lock.
  static func cleanIncrements(
    _ shards: ShardSelection, ensemble: String?, in run: RunContext
  ) throws -> RunResult {
    try Restoring.finish(in: run)
    var log = try IncrementLog(of: run.directory)
    Rebuild.noteLeftover(in: run)
    let damaged = try OutputCheck.run(log, in: run)
    let survey = try run.stage(.pin) { try log.survey(shards, rescores: true, in: run) }
    survey.tell(run.observe)
    try log.renewOpen(ensemble: ensemble, in: run)
    if let open = log.open.first {
      run.observe(
        .note("finishing \(counted(open.shards.count, "shard")) that an earlier run began"))
    }
    let mayRebuild = try mayRebuild(survey, log, in: run)
    var result = RunResult()
    for increment in log.open {
      let onDrift = mayRebuild ? shards : nil
      switch try clean(increment, ensemble: ensemble, onDrift: onDrift, in: run) {
      case .done(let part): result.add(part)
      case .rebuilt(let result): return result
      }
      log.close(increment)
    }
    let hadOpen = result.manifest != nil
    if let increment = try log.pin(survey, in: run) {
      let onDrift = mayRebuild ? shards : nil
      switch try clean(increment, ensemble: ensemble, onDrift: onDrift, in: run) {
      case .done(let part): result.add(part)
      case .rebuilt(let result): return result
      }
    } else if !hadOpen {
      result = try nothingNew(ensemble: ensemble, Settings.Section.allCases, damaged, in: run)
    }
    result.damaged = damaged
    result.stale = try PublishedShards.complete(survey.stale, in: run)
    return result
  }

  private enum Outcome {
    case done(RunResult)
    /// By policy: the whole folder.
    case rebuilt(RunResult)
  }

  /// By the policy for drift, and as long as the pairs that are published can be had again.
  private static func mayRebuild(
    _ survey: ShardSurvey, _ log: IncrementLog, in run: RunContext
  ) throws -> Bool {
    guard run.configuration.refresh.onDrift != .report,
      FileManager.default.fileExists(atPath: run.directory.manifest)
    else { return false }
    guard let obstacle = try obstacle(survey, log, in: run) else { return true }
    run.observe(
      .note("whatever the new pairs score, the folder isn't built anew by itself: \(obstacle)"))
    return false
  }

  /// What speaks against building the folder anew.
  private static func obstacle(
    _ survey: ShardSurvey, _ log: IncrementLog, in run: RunContext
  ) throws -> String? {
    if try !Manifest(of: run.directory).restored.isEmpty {
      return "pairs that it holds were restored"
    }
    if !survey.stale.isEmpty {
      return "pairs that it holds come from shards that changed or are gone"
    }
    let pipes = log.pinned.lazy.flatMap(\.shards).filter { ShardPath.isPipe($0.path) }
    if pipes.contains(where: { !run.commands.allows($0.path) }) {
      return "pairs that it holds come from commands that aren't named this time"
    }
    do {
      try Rebuild.checkSwap(run)
    } catch let error as RunError {
      return "\(error)"
    }
    return nil
  }

  /// - Parameter onDrift: all shards of tonight's list, where a drift may lead to a rebuild.
  private static func clean(
    _ increment: Increment, ensemble: String?, onDrift shards: ShardSelection?, in run: RunContext
  ) throws -> Outcome {
    let (kinds, noise) = try score(increment, ensemble: ensemble, noise: nil, in: run)
    if let shards, !run.directory.isPlanned(increment.index),
      let drift = try FitStage.drift(of: increment, in: run), drift.isDrift
    {
      run.observe(.note("\(drift.words); the folder is built anew"))
      if let result = try Rebuild.onDrift(shards, ensemble: ensemble, in: run) {
        return .rebuilt(result)
      }
    }
    return .done(try write(increment, kinds, noise, in: run))
  }

  /// One increment.
  /// - Parameter noise: what cuts it; nil for the folder's own.
  static func clean(
    _ increment: Increment, ensemble: String?, noise: NoiseModelFile?, in run: RunContext
  ) throws -> RunResult {
    let (kinds, noise) = try score(increment, ensemble: ensemble, noise: noise, in: run)
    return try write(increment, kinds, noise, in: run)
  }

  /// - Returns: the kinds of the judges, and what their scores are cut by.
  private static func score(
    _ increment: Increment, ensemble: String?, noise: NoiseModelFile?, in run: RunContext
  ) throws -> ([String], NoiseModelFile) {
    if increment.index > 0 { try Settings.compare(Settings.Section.allCases, in: run) }
    let judges =
      try ensemble.map { try EnsembleStage.adopt($0, in: run) }
      ?? TrainStage.run(increment, in: run).judges
    _ = try run.stage(.score) { try ScoreStage.run(increment, judges: judges, in: run) }
    let model =
      try noise
      ?? run.stage(.fit) {
        increment.index == 0
          ? try FitStage.runOnFirst(in: run)
          : try FitStage.reuse(for: increment, in: run).noise
      }
    return (judges.kinds, model)
  }

  private static func write(
    _ increment: Increment, _ kinds: [String], _ noise: NoiseModelFile, in run: RunContext
  ) throws -> RunResult {
    let order = try WriteOrder(increment, kinds: kinds, noise, in: run)
    try order.write(in: run)
    return try order.publish(in: run)
  }
}
