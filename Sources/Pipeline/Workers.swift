import Foundation
import Synchronization

/// N threads over numbered units of work. A unit's result may not depend on who computes it or when, so the output is
/// the same for any N.
enum Workers {
  /// Calls `body` once for each of `0..<count`.
  /// - Parameters:
  ///   - state: what one worker keeps from unit to unit (a judge, an open shard); never shared.
  ///   - body: a unit. The first error stops the others at their next unit and is thrown.
  static func forEach<State>(
    _ count: Int, workers: Int, state: @autoclosure @escaping @Sendable () throws -> State,
    body: @escaping @Sendable (inout State, Int) throws -> Void
  ) throws {
    let work = Work()
    let run: @Sendable () -> Void = {
      do {
        var state = try state()
        while !work.failed.load(ordering: .relaxed) {
          let unit = work.next.wrappingAdd(1, ordering: .relaxed).oldValue
          guard unit < count else { return }
          try body(&state, unit)
        }
      } catch {
        work.failure.withLock { $0 = $0 ?? error }
        work.failed.store(true, ordering: .relaxed)
      }
    }
    let group = DispatchGroup()
    for _ in 1..<max(2, min(workers, count) + 1) {
      group.enter()
      let thread = Thread {
        run()
        group.leave()
      }
      thread.stackSize = 16 << 20
      thread.start()
    }
    group.wait()
    if let failure = work.failure.withLock({ $0 }) { throw failure }
  }

  /// As `forEach`, with the units' results in order.
  static func map<State, Result: Sendable>(
    _ count: Int, workers: Int, state: @autoclosure @escaping @Sendable () throws -> State,
    body: @escaping @Sendable (inout State, Int) throws -> Result
  ) throws -> [Result] {
    let results = Collected<Result>(count: count)
    try forEach(count, workers: workers, state: try state()) { state, unit in
      let result = try body(&state, unit)
      results.values.withLock { $0[unit] = result }
    }
    return results.values.withLock { $0.compactMap { $0 } }
  }

  private final class Work: Sendable {
    let next = Atomic<Int>(0)
    let failed = Atomic<Bool>(false)
    let failure = Mutex<(any Error)?>(nil)
  }

  private final class Collected<Result: Sendable>: Sendable {
    let values: Mutex<[Result?]>
    init(count: Int) { values = Mutex(Array(repeating: nil, count: count)) }
  }
}

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
      state.done += done
      state.pairs += pairs
      return state
    }
    observe(
      .progress(
        stage, done: Double(now.done), total: Double(total), pairs: now.pairs, detail: ""))
  }
}
