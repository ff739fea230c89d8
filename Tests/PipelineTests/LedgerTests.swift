import Shards
import Testing

@testable import Pipeline

@Suite struct LedgerTests {
  private func record(_ read: Int, rejected: [String: Int] = [:], unreadable: [String: Int] = [:])
    -> ShardScores
  {
    var report = ShardReport()
    report.samples = read
    return ShardScores(
      shard: "a", shardDigest: "", ensembleDigest: "", settingsDigest: "", scoring: .cosine,
      kinds: [], read: read,
      rejected: rejected, unreadable: unreadable, report: report)
  }

  private func unit(_ sources: [String: UnitRecord.Counts]) -> UnitRecord {
    UnitRecord(file: "", pairs: 0, bytes: 0, digest: "", sources: sources)
  }

  private func compute(
    read records: [ShardScores], written units: [UnitRecord], firstShard: Int = 0
  ) throws -> [Ledger] {
    var written = WrittenCounts(shards: records.count, firstShard: firstShard)
    for unit in units { try written.add(unit) }
    return try records.indices.map { try Ledger(read: records[$0], written: written[$0]) }
  }

  @Test func countsOfSeveralOutputShardsAddUp() throws {
    let ledgers = try compute(
      read: [record(5, rejected: ["missing-text": 1], unreadable: ["cut-short": 1]), record(1)],
      written: [
        unit(["0": .init(kept: 2)]), unit(["0": .init(kept: 1), "1": .init(kept: 1)]),
        unit(["0": .init(rejected: ["missing-text": 1])]),
      ])
    #expect(ledgers[0].kept == 3)
    #expect(ledgers[0].rejected == ["missing-text": 1])
    #expect(ledgers[1].kept == 1)
  }

  @Test func aLostPairFailsTheRun() {
    #expect {
      try compute(read: [record(3)], written: [unit(["0": .init(kept: 2)])])
    } throws: {
      "\($0)".contains("3 read, but 2 kept")
    }
  }

  @Test func aPairRejectedForAnotherReasonThanReadFailsTheRun() {
    #expect(throws: RunError.self) {
      try compute(
        read: [record(1, rejected: ["missing-text": 1])],
        written: [unit(["0": .init(rejected: ["missing-image": 1])])])
    }
  }

  @Test func aReaderThatDeliveredMoreThanWasCountedFailsTheRun() {
    var record = record(1)
    record.report.oversized = 1
    #expect(throws: RunError.self) {
      try compute(read: [record], written: [unit(["0": .init(kept: 1)])])
    }
  }

  @Test(arguments: ["\(Int.min)", "\(Int.max)", "2", "x"])
  func countsOfNoInputShardFailTheRun(number: String) {
    #expect(throws: RunError.self) {
      try compute(
        read: [record(1)], written: [unit([number: .init(kept: 1)])], firstShard: 3)
    }
  }

  @Test func faultsAreCountedBesideThePairs() throws {
    var record = record(1)
    record.fault = "truncated"
    let ledgers = try compute(
      read: [record, record], written: [unit(["0": .init(kept: 1), "1": .init(kept: 1)])])
    var total = ledgers[0]
    total.add(ledgers[1])
    #expect(total.faults == ["truncated": 2])
    #expect(total.read == 2)
  }

  @Test func aCountThatNoShardCanHaveDoesNotAddUp() {
    for kept in [-1, Int.min, Int.max] {
      #expect(throws: RunError.self) {
        try compute(
          read: [record(2)], written: [unit(["0": .init(kept: kept)]), unit(["0": .init(kept: 2)])])
      }
    }
  }

  /// A damaged manifest or record may hold any number.
  @Test func sumsOfCountsWithoutBoundsDoNotEndTheProcess() throws {
    var ledger = Ledger()
    ledger.kept = .max
    ledger.rejected = ["a": .max, "b": .max]
    ledger.unreadable = ["a": .max, "b": 1]
    #expect(ledger.totalRejected == -2)
    #expect(ledger.totalUnreadable == Int.min)
    #expect(!ledger.isBalanced)
    var record = record(.max)
    var summary = ScoreSummary()
    for _ in 0..<2 {
      summary.add(record, of: .init(path: "/a.tar", name: "a", identity: nil, digest: ""))
    }
    #expect(summary.pairs == -2)
    record.report.oversized = 1
    #expect(throws: RunError.self) {
      try compute(read: [record], written: [unit(["0": .init(kept: .max)])])
    }
  }

  /// What folders that are there already were fitted on.
  @Test func theDigestOfScoresIsThatOfTheirSortedLines() {
    var records = (0..<40).map { i in
      var record = record(1)
      record.shardDigest =
        i % 7 == 0 ? "" : Digest.hex(high: UInt64(i % 5) << 60, low: UInt64(i * 7919) << 44)
      record.ensembleDigest = "e\(i % 2)"
      record.fault = i % 3 == 0 ? "truncated" : nil
      return record
    }
    records.append(records[1])
    let lines = records.map {
      "\($0.shardDigest) \($0.ensembleDigest) \($0.settingsDigest) \($0.fault ?? "")\n"
    }
    let expected = Digest.of(Array(lines.sorted().joined().utf8))
    for order in [records, records.reversed(), records.shuffled()] {
      var digest = ScoresDigest()
      for record in order { digest.add(record) }
      #expect(digest.finish() == expected)
    }
  }
}
