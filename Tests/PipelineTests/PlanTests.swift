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
  }

  @Test func replacedKeysSayWhyAndWhereAndNeverRepeatTheirNeighbours() {
    let key = Array("same".utf8)
    var neighbours = NeighbouringKeys()
    #expect(neighbours.add(key, reason: Reason.missingImage, 3, 11) == nil)
    let replaced = Array("repeated-000003-000012".utf8)
    #expect(neighbours.add(key, reason: Reason.missingImage, 3, 12) == replaced)
    #expect(neighbours.contains(key) && neighbours.contains(replaced))
    // Somebody foresaw it; a pair keeps its own.
    #expect(neighbours.add(key, reason: Reason.mismatch, 3, 13) == nil)
    #expect(!neighbours.contains(replaced))
    #expect(neighbours.add(Array("unsafe-000003-000015".utf8), reason: "", 3, 14) == nil)
    #expect(
      neighbours.add(key, reason: Reason.unsafeName, 3, 15)
        == Array("unsafe-000003-000015-".utf8))
  }

  /// Of a shard that is nothing but pairs of one key, kept and cut.
  @Test func pairsOfAKeyTooManyAreDropped() {
    let limit = DecideStage.maxRepeats
    var repeated = table(String(repeating: "kkmu", count: limit), key: "same")
    let before = repeated
    DecideStage.dropRepeats(from: &repeated, shard: 3)
    let dropped = repeated.reasons.indices.filter { repeated.reasons[$0] == Reason.repeatedKey }
    // One of each output begins, then each repeats.
    #expect(dropped.count == 3 * limit - 2 - limit)
    #expect(dropped.allSatisfy { !repeated.kept[$0] && before.reasons[$0] != Reason.cutShort })
    let early = dropped[0]
    #expect(repeated.reasons[..<early] == before.reasons[..<early])
    #expect(repeated.kept[..<early] == before.kept[..<early])
    let plan = plan([repeated], shardSize: 10_000)
    #expect(plan.units.count == limit + 2)
    #expect(plan.units.map(\.pairs).reduce(0, +) == 3 * limit)
    // Others never meet the limit.
    for key in ["a", nil] {
      var few = table(String(repeating: "k", count: limit), key: key)
      let before = few
      DecideStage.dropRepeats(from: &few, shard: 0)
      #expect(few == before)
    }
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
