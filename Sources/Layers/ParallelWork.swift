import Foundation
import Synchronization

/// Runs `count` units on up to `workers` threads and gives their results in order. Units are taken in order; the first
/// error (of the lowest unit that failed) stops the taking of further units and is thrown when the running ones are done.
/// A unit's result may not depend on who computes it or when, so the results are the same for any number of workers.
///
/// - Parameters:
///   - state: what one worker keeps from unit to unit (a judge, an open shard); never shared.
///   - body: a unit.
public func parallelMap<State, R: Sendable>(
  _ count: Int, workers: Int, state: @autoclosure @escaping @Sendable () throws -> State,
  _ body: @escaping @Sendable (inout State, Int) throws -> R
) throws -> [R] {
  let work = Work<R>(count)
  let run: @Sendable () -> Void = {
    do {
      var state = try state()
      while let unit = work.take(below: count) {
        do {
          work.finish(unit, try body(&state, unit))
        } catch {
          work.fail(unit, error)
        }
      }
    } catch {
      work.fail(-1, error)
    }
  }
  let group = DispatchGroup()
  for _ in 0..<max(1, min(workers, count)) {
    group.enter()
    let thread = Thread {
      run()
      group.leave()
    }
    thread.stackSize = 16 << 20
    thread.start()
  }
  group.wait()
  return try work.results()
}

/// As above, for workers that keep nothing.
public func parallelMap<R: Sendable>(
  _ count: Int, workers: Int, _ body: @escaping @Sendable (Int) throws -> R
) throws -> [R] {
  try parallelMap(count, workers: workers, state: ()) { _, unit in try body(unit) }
}

private final class Work<R: Sendable>: Sendable {
  private struct State {
    var next = 0
    var results: [R?]
    var failure: (unit: Int, error: any Error)?
  }

  private let state: Mutex<State>

  init(_ count: Int) {
    state = Mutex(State(results: [R?](repeating: nil, count: count)))
  }

  func take(below count: Int) -> Int? {
    state.withLock { state in
      guard state.failure == nil, state.next < count else { return nil }
      state.next += 1
      return state.next - 1
    }
  }

  func finish(_ unit: Int, _ result: R) { state.withLock { $0.results[unit] = result } }

  func fail(_ unit: Int, _ error: any Error) {
    state.withLock { state in
      if unit < state.failure?.unit ?? .max { state.failure = (unit, error) }
    }
  }

  func results() throws -> [R] {
    try state.withLock { state in
      if let failure = state.failure { throw failure.error }
      return state.results.compactMap { $0 }
    }
  }
}
