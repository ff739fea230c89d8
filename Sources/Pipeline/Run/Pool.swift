import Foundation

/// Values that threads take in turns; there may be more threads than values.
final class Pool<Value>: @unchecked Sendable {
  // Unchecked: a value is in `free`, which the condition guards, or with the one thread that took it.
  private let condition = NSCondition()
  private var free: [Value]

  init(_ values: [Value]) { free = values }

  /// Waits for a value and takes it while `body` runs; the one that was given back last comes first.
  func with<R>(_ body: (inout Value) throws -> R) rethrows -> R {
    var value = condition.withLock {
      while free.isEmpty { condition.wait() }
      return free.removeLast()
    }
    defer {
      condition.withLock {
        free.append(value)
        condition.signal()
      }
    }
    return try body(&value)
  }
}
