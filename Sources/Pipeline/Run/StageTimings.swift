import Foundation
import Synchronization

/// Seconds by stage of the increment at hand, over all processes that worked on it.
final class StageTimings: Sendable {
  private struct Stored: Codable {
    var formatVersion = StateJSON.formatVersion
    var seconds: [String: Double]
  }

  private let seconds = Mutex<[String: Double]>([:])

  /// Goes on from what earlier processes left. Call it under the lock.
  func resume(in directory: RunDirectory) {
    let files = FileManager.default
    var total = (try? StateJSON.decode(Stored.self, from: directory.timings))?.seconds ?? [:]
    if directory.part.isEmpty {
      // What ranks left becomes ours.
      for name in (try? files.contentsOfDirectory(atPath: directory.state)) ?? []
      where name.hasPrefix("timings.") && name != "timings.json" {
        let path = "\(directory.state)/\(name)"
        let stored = try? StateJSON.decode(Stored.self, from: path)
        total.merge(stored?.seconds ?? [:], uniquingKeysWith: +)
        try? files.removeItem(atPath: path)
      }
    }
    seconds.withLock { $0 = total }
  }

  /// Starts from nothing: what was counted belongs to an increment that is closed, or to none.
  func close(in directory: RunDirectory) {
    seconds.withLock { $0 = [:] }
    try? FileManager.default.removeItem(atPath: directory.timings)
  }

  /// Timings are no reason to fail a run, so what can't be kept isn't.
  func record(_ stage: Stage, _ value: Double, in run: RunContext) {
    let now = seconds.withLock { seconds in
      seconds[stage.rawValue, default: 0] += value
      return seconds
    }
    try? run.publishing.publish(json: Stored(seconds: now), to: run.directory.timings)
  }

  func summary(workers: Int) -> Manifest.Timings {
    let seconds = seconds.withLock { $0 }
    return Manifest.Timings(
      seconds: seconds, total: seconds.values.reduce(0, +), workers: workers)
  }
}

extension RunContext {
  /// Runs a stage: tells the observer of its begin and end, and keeps its time, that of a stage that failed too.
  func stage<R>(_ stage: Stage, _ body: () throws -> R) throws -> R {
    try cancellation.check()
    observe(.began(stage))
    let clock = ContinuousClock()
    let start = clock.now
    var elapsed: Double { (clock.now - start) / .seconds(1) }
    defer { timings.record(stage, elapsed, in: self) }
    let result = try body()
    observe(.ended(stage, seconds: elapsed))
    return result
  }
}
