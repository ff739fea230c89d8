/// Where every pair went: read = kept + rejected + unreadable.
public struct Ledger: Codable, Sendable, Equatable {
  public var read = 0
  public var kept = 0
  /// In the rejected shards, by reason.
  public var rejected: [String: Int] = [:]
  /// In no output shard since their bytes couldn't be had, by reason.
  public var unreadable: [String: Int] = [:]
  /// Shards that couldn't be read to their end, by reason; what they held from there on isn't in `read`.
  public var faults: [String: Int] = [:]

  public init() {}

  // All sums wrap: a damaged manifest or record may hold any number.
  public var totalRejected: Int { rejected.values.reduce(0, &+) }
  public var totalUnreadable: Int { unreadable.values.reduce(0, &+) }

  var isBalanced: Bool { read == kept &+ totalRejected &+ totalUnreadable }

  mutating func add(_ other: Ledger) {
    read &+= other.read
    kept &+= other.kept
    rejected.merge(other.rejected, uniquingKeysWith: &+)
    unreadable.merge(other.unreadable, uniquingKeysWith: &+)
    faults.merge(other.faults, uniquingKeysWith: &+)
  }

  /// Of an input shard: what the reader counted against what the writers counted.
  /// - Throws: `RunError.ledger` where it doesn't add up.
  init(read record: ShardScores, written counts: UnitRecord.Counts) throws(RunError) {
    read = record.read
    kept = counts.kept
    rejected = counts.rejected
    unreadable = record.unreadable
    if let fault = record.fault { faults = [fault: 1] }
    let report = record.report
    var found = rejected
    // Decided after reading.
    for reason in [Reason.mismatch, Reason.repeatedKey] { found[reason] = nil }
    let delivered = report.samples &+ report.cutShort &+ report.oversized
    func need(_ condition: Bool, _ detail: String) throws(RunError) {
      if !condition { throw .ledger(shard: record.shard, detail: detail) }
    }
    try need(
      isBalanced,
      "\(read) read, but \(kept) kept, \(rejected) rejected and \(unreadable) unreadable")
    try need(
      read == delivered, "\(read) counted when scored, but the reader delivered \(delivered)")
    try need(
      found == record.rejected, "\(record.rejected) rejected when read, but \(found) written")
  }
}
