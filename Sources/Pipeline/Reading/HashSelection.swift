import Encoders
import Synchronization

/// The `limit` lowest distinct content hashes of all that are offered, in whatever order, from whatever thread.
/// Memory: at most about `3 * limit` hashes.
final class HashSelection: Sendable {
  private let limit: Int
  private let hashes = Mutex<[ContentHash]>([])

  init(limit: Int) { self.limit = limit }

  func offer(_ more: [ContentHash]) {
    hashes.withLock {
      $0 += more
      if $0.count > 2 * limit { Self.reduce(&$0, to: limit) }
    }
  }

  /// Ascending.
  var selected: [ContentHash] {
    hashes.withLock {
      Self.reduce(&$0, to: limit)
      return $0
    }
  }

  private static func reduce(_ hashes: inout [ContentHash], to limit: Int) {
    hashes.sort()
    var distinct: [ContentHash] = []
    for hash in hashes where distinct.last != hash && distinct.count < limit {
      distinct.append(hash)
    }
    hashes = distinct
  }
}
