import Shards

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

  /// Wrapping: a damaged manifest may hold any number.
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
    found[Reason.mismatch] = nil
    let delivered = report.samples + report.cutShort + report.oversized
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

/// What the writers counted of each input shard of an increment: four bytes a shard, and four more a reason.
struct WrittenCounts {
  private let firstShard: Int
  private let count: Int
  private var kept: SpilledArray<UInt32>
  private var rejected: [String: SpilledArray<UInt32>] = [:]

  /// - Parameters:
  ///   - count: of the increment's shards.
  ///   - firstShard: the number of the first one in the folder.
  init(shards count: Int, firstShard: Int) {
    (self.count, self.firstShard) = (count, firstShard)
    kept = SpilledArray(repeating: 0, count: count)
  }

  /// - Throws: `RunError.ledger` where it holds pairs of another shard.
  mutating func add(_ unit: UnitRecord) throws(RunError) {
    for (key, counts) in unit.sources {
      guard let number = Int(key), number >= firstShard, number - firstShard < count else {
        throw .ledger(shard: key, detail: "an output shard holds pairs of no input shard")
      }
      let i = number - firstShard
      kept[i] = Self.sum(kept[i], counts.kept)
      for (reason, pairs) in counts.rejected {
        let before = rejected[reason]?[i] ?? 0
        rejected[reason, default: SpilledArray(repeating: 0, count: count)][i] = Self.sum(
          before, pairs)
      }
    }
  }

  /// A number that no shard can have doesn't add up later.
  private static func sum(_ a: UInt32, _ b: Int) -> UInt32 {
    UInt32(clamping: Int(a) + Int(UInt32(exactly: b) ?? .max))
  }

  subscript(i: Int) -> UnitRecord.Counts {
    UnitRecord.Counts(
      kept: Int(kept[i]),
      rejected: rejected.compactMapValues { $0[i] == 0 ? nil : Int($0[i]) })
  }
}
