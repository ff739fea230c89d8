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

  public var totalRejected: Int { rejected.values.reduce(0, +) }
  public var totalUnreadable: Int { unreadable.values.reduce(0, +) }

  var isBalanced: Bool { read == kept + totalRejected + totalUnreadable }

  mutating func add(_ other: Ledger) {
    read += other.read
    kept += other.kept
    rejected.merge(other.rejected, uniquingKeysWith: +)
    unreadable.merge(other.unreadable, uniquingKeysWith: +)
    faults.merge(other.faults, uniquingKeysWith: +)
  }

  mutating func add(_ counts: UnitRecord.Counts) {
    kept += counts.kept
    rejected.merge(counts.rejected, uniquingKeysWith: +)
  }

  /// One ledger an input shard: what the reader counted against what the writers counted.
  /// - Parameter firstShard: the number of the first shard in the folder.
  /// - Throws: `RunError.ledger` naming the first shard that doesn't add up.
  static func compute(
    read records: [ShardScores], written units: [UnitRecord], firstShard: Int = 0
  ) throws(RunError) -> [Ledger] {
    var ledgers = records.map { record in
      var ledger = Ledger()
      ledger.read = record.read
      ledger.unreadable = record.unreadable
      if let fault = record.fault { ledger.faults = [fault: 1] }
      return ledger
    }
    for (key, counts) in units.flatMap(\.sources) {
      guard let number = Int(key), number >= firstShard,
        ledgers.indices.contains(number - firstShard)
      else {
        throw .ledger(shard: key, detail: "an output shard holds pairs of no input shard")
      }
      ledgers[number - firstShard].add(counts)
    }
    for (record, ledger) in zip(records, ledgers) {
      let report = record.report
      var found = ledger.rejected
      found[Reason.mismatch] = nil
      let delivered = report.samples + report.cutShort + report.oversized
      func need(_ condition: Bool, _ detail: String) throws(RunError) {
        if !condition { throw .ledger(shard: record.shard, detail: detail) }
      }
      try need(
        ledger.isBalanced,
        "\(ledger.read) read, but \(ledger.kept) kept, \(ledger.rejected) rejected and "
          + "\(ledger.unreadable) unreadable")
      try need(
        ledger.read == delivered,
        "\(ledger.read) counted when scored, but the reader delivered \(delivered)")
      try need(
        found == record.rejected, "\(record.rejected) rejected when read, but \(found) written")
    }
    return ledgers
  }
}
