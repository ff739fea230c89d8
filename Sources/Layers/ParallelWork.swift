import Dispatch
import Foundation
import Synchronization

/// Runs `count` units on up to `workers` threads and gives their results in order. Units are taken in order; the first
/// error (of the lowest unit that failed) stops the taking of further units and is thrown when the running ones are done.
public func parallelMap<R: Sendable>(
  _ count: Int, workers: Int, _ body: @escaping @Sendable (Int) throws -> R
) throws -> [R] {
  let state = Mutex(WorkState<R>())
  DispatchQueue.concurrentPerform(iterations: max(1, min(workers, count))) { _ in
    while true {
      let unit = state.withLock { state -> Int? in
        guard state.failure == nil, state.next < count else { return nil }
        state.next += 1
        return state.next - 1
      }
      guard let unit else { return }
      do {
        let result = try body(unit)
        state.withLock { $0.results[unit] = result }
      } catch {
        state.withLock { state in
          if unit < state.failure?.unit ?? .max { state.failure = (unit, error) }
        }
      }
    }
  }
  return try state.withLock { state in
    if let failure = state.failure { throw failure.error }
    return (0..<count).compactMap { state.results[$0] }
  }
}

private struct WorkState<R: Sendable> {
  var next = 0
  var results: [Int: R] = [:]
  var failure: (unit: Int, error: any Error)?
}
