import Foundation
import Synchronization

/// Seconds by stage.
final class StageTimings: Sendable {
  private let seconds = Mutex<[String: Double]>([:])

  func record(_ stage: Stage, _ value: Double) {
    seconds.withLock { $0[stage.rawValue, default: 0] += value }
  }

  func summary(workers: Int) -> Manifest.Timings {
    let seconds = seconds.withLock { $0 }
    return Manifest.Timings(
      seconds: seconds, total: seconds.values.reduce(0, +), workers: workers)
  }
}

extension RunContext {
  /// Runs a stage: tells the observer of its begin and end, and keeps its time.
  func stage<R>(_ stage: Stage, _ body: () throws -> R) throws -> R {
    try cancellation.check()
    observe(.began(stage))
    let clock = ContinuousClock()
    let start = clock.now
    let result = try body()
    let elapsed = (clock.now - start) / .seconds(1)
    timings.record(stage, elapsed)
    observe(.ended(stage, seconds: elapsed))
    return result
  }
}
