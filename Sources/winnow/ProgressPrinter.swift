import Foundation
import Pipeline
import Synchronization

/// A run's events on stderr: a live bar on a terminal, a plain line every ten seconds otherwise.
final class ProgressPrinter: Sendable {
  private struct State {
    var stageBegan = ContinuousClock.now
    var lastShown = ContinuousClock.now
    var isBarOpen = false
  }

  private let showsProgress: Bool
  private let isTerminal = isatty(STDERR_FILENO) == 1
  private let state = Mutex(State())

  /// - Parameter showsProgress: else only notes are shown.
  init(showsProgress: Bool) { self.showsProgress = showsProgress }

  func show(_ event: RunEvent) {
    state.withLock { state in
      switch event {
      case .began, .progress, .ended:
        if showsProgress { show(event, &state) }
      case .note:
        show(event, &state)
      }
    }
  }

  private func show(_ event: RunEvent, _ state: inout State) {
    switch event {
    case .began:
      state.stageBegan = .now
      state.lastShown = .now
    case .progress(let stage, let done, let total, let pairs, let detail):
      let pause: Duration = isTerminal ? .milliseconds(200) : .seconds(10)
      guard ContinuousClock.now - state.lastShown >= pause else { return }
      state.lastShown = .now
      let seconds = (ContinuousClock.now - state.stageBegan) / .seconds(1)
      let line = describe(stage, done, total, pairs, detail, seconds)
      if isTerminal {
        StandardError.write("\r\u{1B}[K\(line)")
        state.isBarOpen = true
      } else {
        StandardError.print(line)
      }
    case .ended(let stage, let seconds):
      closeBar(&state)
      StandardError.print(String(format: "\(stage.rawValue): done in %.1f s", seconds))
    case .note(let text):
      closeBar(&state)
      StandardError.print(text)
    }
  }

  /// Ends an open bar, so that what follows starts on a line of its own.
  func close() { state.withLock { closeBar(&$0) } }

  private func closeBar(_ state: inout State) {
    guard state.isBarOpen else { return }
    StandardError.write("\r\u{1B}[K")
    state.isBarOpen = false
  }

  private func describe(
    _ stage: Stage, _ done: Double, _ total: Double, _ pairs: Int, _ detail: String,
    _ seconds: Double
  ) -> String {
    let share = total > 0 ? min(1, done / total) : 0
    var parts = [stage.rawValue]
    if isTerminal {
      let filled = Int(share * 24)
      parts.append(
        "[" + String(repeating: "=", count: filled)
          + String(repeating: " ", count: 24 - filled) + "]")
    }
    parts.append(String(format: "%3.0f %%", 100 * share))
    if pairs > 0, seconds > 0 {
      parts.append(String(format: "%d pairs, %.0f/s", pairs, Double(pairs) / seconds))
    }
    if share > 0, share < 1 {
      let left = Int(seconds * (1 - share) / share)
      parts.append(String(format: "%d:%02d left", left / 60, left % 60))
    }
    if stage == .train, done > 0, seconds > 0 {
      parts.append(String(format: "%.0f steps, %.1f/s", done, done / seconds))
    }
    if !detail.isEmpty { parts.append(detail) }
    return parts.joined(separator: "  ")
  }
}
