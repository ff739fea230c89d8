import Foundation
import Pipeline
import Synchronization

/// Keeps a run's records for machines: a log with one JSON object a line and an event, and figures for Prometheus.
public final class RunReporter: Sendable {
  private struct State {
    var seconds: [String: Double] = [:]
    var lastProgress = ContinuousClock.now
  }

  private let configuration: ReportConfiguration
  private let directory: RunDirectory
  private let log: EventLog?
  private let state = Mutex(State())

  /// - Parameter command: `clean`, `score`, ...
  /// - Throws: `RunError.usage` for a log that can't be opened.
  public init(
    _ configuration: ReportConfiguration, of directory: RunDirectory, command: String
  ) throws {
    self.configuration = configuration
    self.directory = directory
    try Self.check(configuration, directory)
    log = try configuration.log.map { try EventLog(path: $0) }
    log?.write(
      EventLog.Line(
        event: "run_began", command: command, out: directory.path, version: winnowVersion))
  }

  /// Refuses files that would go over shards or over output.
  private static func check(
    _ configuration: ReportConfiguration, _ directory: RunDirectory
  ) throws(RunError) {
    if let metrics = configuration.metrics, !metrics.hasSuffix(".prom") {
      throw .usage("--metrics \(metrics): node_exporter reads NAME.prom; name it so")
    }
    for file in [configuration.log, configuration.metrics].compactMap({ $0 }) {
      let path = absolutePath(file)
      let isOutput = [directory.clean, directory.rejected, directory.decisions, directory.ensemble]
        .contains { path.hasPrefix(absolutePath($0) + "/") }
      let name = (path as NSString).lastPathComponent
      if isOutput || name.contains(".tar") || name.hasSuffix(".tgz") {
        throw .usage(
          "\(file) is a place of shards or output; write the log and the figures elsewhere")
      }
    }
  }

  /// Called from any thread.
  public func observe(_ event: RunEvent) {
    switch event {
    case .began(let stage): log?.write(EventLog.Line(event: "stage_began", stage: stage.rawValue))
    case .ended(let stage, let seconds):
      state.withLock { $0.seconds[stage.rawValue, default: 0] += seconds }
      log?.write(
        EventLog.Line(event: "stage_ended", stage: stage.rawValue, seconds: seconds))
    case .note(let text): log?.write(EventLog.Line(event: "note", text: text))
    case .progress(let stage, let done, let total, let pairs, _):
      let isDue = state.withLock { state in
        guard ContinuousClock.now - state.lastProgress >= .seconds(60) else { return false }
        state.lastProgress = .now
        return true
      }
      guard isDue else { return }
      log?.write(
        EventLog.Line(
          event: "progress", stage: stage.rawValue, done: done, total: total, pairs: pairs))
    }
  }

  /// Tells the end of the run.
  /// - Parameters:
  ///   - error: what ended it before its time, in words.
  ///   - endsNight: what the folder is for lies there, so that a status of 0 or 3 is a success. It isn't of a stage that
  ///     another one must follow, which may fail every night, nor of a list of no shards: perhaps the corpus isn't there.
  /// - Returns: why the figures couldn't be written, if they couldn't.
  public func finish(
    _ result: RunResult?, error: String? = nil, status: Int32, endsNight: Bool = false
  ) -> String? {
    for shard in result?.stale ?? [] {
      log?.write(
        EventLog.Line(
          event: "stale_shard", text: shard.change.rawValue, path: shard.path,
          published: shard.published))
    }
    if let drift = result?.drift {
      log?.write(EventLog.Line(event: "drift", text: drift.words, drift: drift.statistic))
    }
    if let earlier = result?.earlierFaults(in: directory) {
      log?.write(EventLog.Line(event: "earlier_faults", text: earlier))
    } else {
      for fault in result?.faults ?? [] {
        log?.write(EventLog.Line(event: "fault", text: fault.message, path: fault.path))
      }
    }
    let manifest = result?.manifest ?? (try? Manifest(of: directory))
    let seconds = state.withLock { $0.seconds }
    log?.write(
      EventLog.Line(
        event: "run_ended", text: error, seconds: seconds.values.reduce(0, +),
        pairs: result?.newPairs, status: status, ledger: manifest?.ledger,
        noiseRate: manifest?.noise.noiseRate, drift: result?.drift?.statistic))
    guard let path = configuration.metrics else { return nil }
    let file = MetricsFile(
      directory: directory, manifest: manifest, result: result, seconds: seconds, status: status,
      endsNight: endsNight)
    do {
      try file.write(to: path)
    } catch {
      let text = "can't write \(path): \(error.localizedDescription)"
      log?.write(EventLog.Line(event: "note", text: text))
      return text
    }
    return nil
  }
}
