import Synchronization

/// How far rows are.
final class RowProgress: Sendable {
  private struct State {
    /// The first unit that isn't done, and those beyond it that are.
    var first: Int
    var beyond: Set<Int> = []
    var kept: Int
    var isKeeping = false
    var lastKept = ContinuousClock.now
    /// Whether a worker failed at something: what it has done isn't known then.
    var hasFailed = false
  }

  private let state: Mutex<State>

  init(_ first: Int) { state = Mutex(State(first: first, kept: first)) }

  // Not inlined: the thread sanitizer knows by this name what the mutex guards (Tests/Sanitizers/races.txt).

  /// A unit's work.
  func trying(_ body: () throws -> Void) throws {
    do {
      try body()
    } catch {
      fail()
      throw error
    }
  }

  @inline(never) private func fail() { state.withLock { $0.hasFailed = true } }

  /// - Returns: whether it is to be kept now, by the caller.
  @inline(never) func finish(_ unit: Int, every interval: Duration) -> Bool {
    state.withLock { state in
      state.beyond.insert(unit)
      while state.beyond.remove(state.first) != nil { state.first += 1 }
      guard !state.isKeeping, !state.hasFailed, state.lastKept.duration(to: .now) >= interval else {
        return false
      }
      state.isKeeping = true
      return true
    }
  }

  /// - Parameter body: given the first unit that isn't kept and the first that isn't done.
  @inline(never) func keep(_ body: (_ kept: Int, _ done: Int) throws -> Void) throws {
    let (kept, first, hasFailed) = state.withLock { ($0.kept, $0.first, $0.hasFailed) }
    if hasFailed { return }
    try body(kept, first)
    state.withLock { state in
      (state.kept, state.isKeeping, state.lastKept) = (first, false, .now)
    }
  }
}
