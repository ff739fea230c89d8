import Foundation

/// Lets one worker at a time hold the rows of a shard that has very many of them, some hundreds of bytes each: those of several
/// would be gigabytes.
final class LargeShards: Sendable {
  /// Beyond so many rows a shard is large, or so many bytes of its table.
  let rows: Int
  static let bytes: Int64 = 100 << 20

  private let turn = DispatchSemaphore(value: 1)

  init(rows: Int = 100_000) { self.rows = rows }

  /// Waits until nobody else holds one.
  func begin() { turn.wait() }
  func end() { turn.signal() }
}
