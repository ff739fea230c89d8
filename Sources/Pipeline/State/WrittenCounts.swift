import Shards

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
