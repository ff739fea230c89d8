import Synchronization

/// Counts finished work from several threads and tells the observer.
final class ProgressCounter: Sendable {
  private let state: Mutex<(done: Int, pairs: Int)>
  private let stage: Stage
  private let total: Int
  private let observe: RunObserver

  init(_ stage: Stage, total: Int, done: Int = 0, observe: @escaping RunObserver) {
    self.stage = stage
    self.total = total
    self.observe = observe
    state = Mutex((done, 0))
  }

  func add(done: Int = 0, pairs: Int = 0) {
    let now = state.withLock { state in
      // Wrapping: a damaged record may hold any number.
      state.done &+= done
      state.pairs &+= pairs
      return state
    }
    observe(
      .progress(
        stage, done: Double(now.done), total: Double(total), pairs: now.pairs, detail: ""))
  }
}
