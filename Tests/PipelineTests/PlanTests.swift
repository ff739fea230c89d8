import TensorFiles
import Testing

@testable import Pipeline

@Suite struct PlanTests {
  /// `k` kept, `m` cut, `u` unreadable, `x` an unsafe name, `i` no image; keys count up from `first`.
  private func table(_ pattern: String, first: Int = 0, key: String? = nil) -> DecisionTable {
    var table = DecisionTable(kinds: 1)
    for (i, letter) in pattern.enumerated() {
      table.keys.append(Array((key ?? "key\(first + i)").utf8))
      table.scores.append(0)
      table.mismatch.append(letter == "u" || letter == "x" ? .nan : 0)
      table.cautiousMismatch.append(letter == "u" || letter == "x" ? .nan : 0)
      table.kept.append(letter == "k")
      let reasons: [Character: String] = [
        "k": "", "m": Reason.mismatch, "u": Reason.cutShort, "x": Reason.unsafeName,
        "i": Reason.missingImage,
      ]
      table.reasons.append(reasons[letter] ?? "")
    }
    return table
  }

  private func plan(_ tables: [DecisionTable], shardSize: Int) -> Plan {
    var plan = Plan(shardSize: shardSize)
    for (i, table) in tables.enumerated() { plan.add(table, shard: i) }
    plan.finish()
    return plan
  }

  private func pairs(_ plan: Plan, _ destination: Plan.Destination) -> [Int] {
    plan.units.filter { $0.destination == destination }.map(\.pairs)
  }

  @Test func shardsFillUpAcrossInputShardsAndOnlyTheLastIsShort() {
    let plan = plan([table("kkmkk"), table("kmkk", first: 5)], shardSize: 3)
    #expect(pairs(plan, .clean) == [3, 3, 1])
    #expect(pairs(plan, .rejected) == [2])
    let second = plan.units.filter { $0.destination == .clean }[1]
    #expect(second.start == .init(shard: 0, ordinal: 4))
    #expect(second.end == .init(shard: 1, ordinal: 3))
  }

  @Test func unreadableSamplesAreInNoOutputShard() {
    let plan = plan([table("uku"), table("u")], shardSize: 3)
    #expect(pairs(plan, .clean) == [1])
    #expect(pairs(plan, .rejected) == [])
  }

  @Test func equalNeighbouringKeysCloseTheShard() {
    let plan = plan([table("kkk", key: "same")], shardSize: 10)
    #expect(pairs(plan, .clean) == [1, 1, 1])
  }

  /// A hostile shard may have a million of them.
  @Test func equalNeighbouringKeysOfWhatIsNoPairAreReplacedInstead() {
    #expect(pairs(plan([table("iiii", key: "same")], shardSize: 3), .rejected) == [3, 1])
    // A pair has its own.
    #expect(pairs(plan([table("imim", key: "same")], shardSize: 9), .rejected) == [1, 2, 1])
    let key = Array("same".utf8)
    #expect(replacementKey(of: key, reason: Reason.missingImage, 3, 12, after: []) == nil)
    #expect(
      replacementKey(of: key, reason: Reason.missingImage, 3, 12, after: [[0x61], key])
        == Array("repeated-000003-000012".utf8))
    #expect(
      replacementKey(
        of: key, reason: Reason.unsafeName, 0, 1, after: [Array("unsafe-000000-000001".utf8)])
        == Array("unsafe-000000-000001-".utf8))
    #expect(replacementKey(of: key, reason: Reason.mismatch, 3, 12, after: [[0x61], key]) == nil)
  }

  @Test func aCutPairBetweenEqualKeysDoesNotKeepThemApart() {
    var table = table("kmk")
    table.keys = ByteStrings(["a", "b", "a"].map(\.utf8))
    #expect(pairs(plan([table], shardSize: 10), .clean) == [1, 1])
  }

  @Test func unsafeNamesAreWrittenUnderKeysOfTheirOwn() {
    // Equal on paper, but not as they are written.
    #expect(pairs(plan([table("xx", key: "../a")], shardSize: 10), .rejected) == [2])
  }

  @Test func sizesNameEveryShardWithItsPairs() {
    let units = plan([table("kkkm")], shardSize: 2).units
    #expect(
      Plan.sizes(units, of: .clean, suffix: ".tar.zst")
        == ["000000.tar.zst": 2, "000001.tar.zst": 1])
    #expect(Plan.sizes(units, of: .rejected, suffix: ".tar") == ["000000.tar": 1])
  }
}
