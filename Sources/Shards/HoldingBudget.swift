import Foundation

/// Bytes of large samples that all readers together may hold: every worker may meet one of a quarter of a gigabyte at once.
///
/// A sample asks for more with each of its members, and some have to wait for others to be done with theirs. So that they
/// don't all wait for each other, as much is left as the one that holds the most may still need (Dijkstra's banker): that
/// one never waits.
public final class HoldingBudget: @unchecked Sendable {
  /// The process's own, 384 MiB.
  public static let shared = HoldingBudget(bytes: 384 << 20)

  /// A sample with less is held without asking.
  static let freeBytes = 2 << 20

  private let bytes: Int
  /// Guards all below.
  private let condition = NSCondition()
  private var holds: [ObjectIdentifier: Share] = [:]

  private struct Share {
    var bytes: Int
    var limit: Int
  }

  /// - Parameter bytes: what may be held at a time, or a third of it beside one sample that may have more.
  public init(bytes: Int) { self.bytes = bytes }

  /// What one sample holds of the budget, until it is gone. One thread only holds one at a time.
  final class Hold: Sendable {
    private let budget: HoldingBudget

    init(_ budget: HoldingBudget) { self.budget = budget }

    /// Waits until the sample may hold `bytes` in all.
    /// - Parameter limit: what it may ask for at most.
    func grow(to bytes: Int, of limit: Int) {
      budget.set(ObjectIdentifier(self), Share(bytes: bytes, limit: max(bytes, limit)))
    }

    deinit { budget.release(ObjectIdentifier(self)) }
  }

  private func set(_ id: ObjectIdentifier, _ share: Share) {
    condition.withLock {
      while !isSafe(id, share) { condition.wait() }
      holds[id] = share
    }
  }

  /// Whether all could come to their end one after another, the one with the most first, if this one had so much.
  private func isSafe(_ id: ObjectIdentifier, _ share: Share) -> Bool {
    var all = holds
    all[id] = share
    let most = all.values.reduce(0) { max($0, $1.bytes) }
    let limit = all.values.reduce(0) { max($0, $1.limit) }
    let others = all.values.reduce(0) { $0 &+ $1.bytes } &- most
    return others <= max(bytes - limit, bytes / 3)
  }

  private func release(_ id: ObjectIdentifier) {
    condition.withLock {
      holds[id] = nil
      condition.broadcast()
    }
  }
}
