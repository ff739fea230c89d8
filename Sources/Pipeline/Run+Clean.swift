import ConfidentLearning
import Foundation

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
    let survey = try run.stage(.pin) { try log.survey(shards, in: run) }
    survey.tell(run.observe)
    if let open = log.open.first {
      run.observe(
        .note("finishing the \(open.shards.count) shards that an earlier run began"))
    }
    var result = RunResult()
    for increment in log.open {
      switch try clean(increment, ensemble: ensemble, in: run) {
      case .done(let part): result.add(part)
      case .drifted: return try Rebuild.onDrift(shards, ensemble: ensemble, in: run)
      }
      log.close(increment)
    }
    let hadOpen = result.manifest != nil
    if let increment = try log.pin(survey, in: run) {
      if increment.index > 0 { try Settings.renewEnvironment(in: run) }
      switch try clean(increment, ensemble: ensemble, in: run) {
      case .done(let part): result.add(part)
      case .drifted: return try Rebuild.onDrift(shards, ensemble: ensemble, in: run)
      }
    } else if !hadOpen {
      result = try nothingNew(ensemble: ensemble, Settings.Section.allCases, in: run)
    }
    result.stale = try PublishedShards.complete(survey.stale, in: run)
    return result
  }

  private enum Outcome {
    case done(RunResult)
    /// By policy, nothing was written.
    case drifted
  }

  private static func clean(
    _ increment: Increment, ensemble: String?, in run: RunContext
  ) throws -> Outcome {
    if increment.index > 0 { try Settings.compare(Settings.Section.allCases, in: run) }
    let judges =
      try ensemble.map { try EnsembleStage.adopt($0, in: run) }
      ?? TrainStage.run(increment, in: run).judges
    let records = try run.stage(.score) {
      try ScoreStage.run(increment, judges: judges, in: run)
    }
    let noise = try run.stage(.fit) {
      increment.index == 0
        ? try FitStage.run([run.directory], in: run) : try FitStage.reuse(for: records, in: run)
    }
    if run.configuration.refresh.onDrift != .report, !run.directory.isPlanned(increment.index),
      let drift = try FitStage.drift(of: increment, in: run), drift.isDrift
    {
      run.observe(.note("\(drift.words); the folder is built anew"))
      return .drifted
    }
    let order = try WriteOrder(increment, records, noise, in: run)
    try order.write(in: run)
    return .done(try order.publish(in: run))
  }
}

extension Drift {
  /// A sentence without its full stop.
  public var words: String {
    let way = shift < 0 ? "worse" : "better"
    return String(
      format:
        "the %d new pairs don't score like the %d that the noise model was fitted on: their scores' "
        + "distributions are %.2f apart (%.2f counts as drift), and the new pairs fit %@ on the average",
      pairs, fittedPairs, statistic, threshold, way)
  }
}
