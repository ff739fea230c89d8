import Synchronization

/// A flag that a signal sets and that the stages look at between pairs.
public final class Cancellation: Sendable {
  private let signal = Atomic<Int32>(0)

  public init() {}

  public func cancel(signal number: Int32) { signal.store(number, ordering: .relaxed) }

  public var isCancelled: Bool { signal.load(ordering: .relaxed) != 0 }

  /// - Throws: `RunError.cancelled` once a signal came.
  func check() throws(RunError) {
    let number = signal.load(ordering: .relaxed)
    if number != 0 { throw .cancelled(signal: number) }
  }
}
