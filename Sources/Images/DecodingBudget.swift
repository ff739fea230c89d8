import Foundation

/// Bytes that all who decode at a time may take together: a 1 KB file can declare 25 million pixels, and
/// every worker may meet one at once.
public final class DecodingBudget: @unchecked Sendable {
  /// The process's own, 1 GiB.
  public static let shared = DecodingBudget(bytes: 1 << 30)

  private let bytes: Int
  /// Guards all below.
  private let condition = NSCondition()
  private var spent = 0
  private var lastTicket = 0
  private var serving = 0

  /// - Parameter bytes: what may be spent at a time.
  public init(bytes: Int) { self.bytes = bytes }

  /// Runs `body` once `cost` bytes are free, or once nothing is spent if it costs more than there is.
  ///
  /// First come, first served, so that no image waits for ever; nobody who spends waits for more, so
  /// that all come to an end. Don't nest it.
  public func spend<Result, Failure: Error>(
    _ cost: Int, _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    condition.withLock {
      let ticket = lastTicket
      lastTicket += 1
      while ticket != serving || (spent > 0 && spent + cost > bytes) { condition.wait() }
      serving += 1
      spent += cost
      condition.broadcast()
    }
    defer {
      condition.withLock {
        spent -= cost
        condition.broadcast()
      }
    }
    return try body()
  }
}
