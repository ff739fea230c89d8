import Foundation

/// Values that threads take in turns; there may be more threads than values.
final class Pool<Value>: @unchecked Sendable {
  // Unchecked: a value is in `free`, which the condition guards, or with the one thread that took it.
  private let condition = NSCondition()
  private var free: [Value]
  /// The turn that comes next.
  private var turn = 0
  private var failure: (any Error)?

  init(_ values: [Value]) { free = values }

  /// Waits for its turn and a value, and takes that while `body` runs; the one that was given back last comes first.
  /// - Parameter turn: 0, 1, ... of all that come here. One that never comes is to close the pool, or the later ones wait.
  /// - Throws: what `body` throws, which closes the pool; the error that closed it before.
  func with<R>(turn: Int, _ body: (inout Value) throws -> R) throws -> R {
    var value = try condition.withLock {
      while failure == nil, free.isEmpty || self.turn != turn { condition.wait() }
      if let failure { throw failure }
      self.turn += 1
      condition.broadcast()
      return free.removeLast()
    }
    let result = Result { try body(&value) }
    condition.withLock {
      free.append(value)
      if case .failure(let error) = result { failure = failure ?? error }
      condition.broadcast()
    }
    return try result.get()
  }

  /// Nobody who waits gets a value any more.
  func close(_ failure: any Error) {
    condition.withLock {
      self.failure = self.failure ?? failure
      condition.broadcast()
    }
  }
}
