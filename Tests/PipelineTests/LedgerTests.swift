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

  @Test func countsOfSeveralOutputShardsAddUp() throws {
    let ledgers = try Ledger.compute(
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
      try Ledger.compute(read: [record(3)], written: [unit(["0": .init(kept: 2)])])
    } throws: {
      "\($0)".contains("3 read, but 2 kept")
    }
  }

  @Test func aPairRejectedForAnotherReasonThanReadFailsTheRun() {
    #expect(throws: RunError.self) {
      try Ledger.compute(
        read: [record(1, rejected: ["missing-text": 1])],
        written: [unit(["0": .init(rejected: ["missing-image": 1])])])
    }
  }

  @Test func aReaderThatDeliveredMoreThanWasCountedFailsTheRun() {
    var record = record(1)
    record.report.oversized = 1
    #expect(throws: RunError.self) {
      try Ledger.compute(read: [record], written: [unit(["0": .init(kept: 1)])])
    }
  }

  @Test(arguments: ["\(Int.min)", "\(Int.max)", "2", "x"])
  func countsOfNoInputShardFailTheRun(number: String) {
    #expect(throws: RunError.self) {
      try Ledger.compute(
        read: [record(1)], written: [unit([number: .init(kept: 1)])], firstShard: 3)
    }
  }

  @Test func faultsAreCountedBesideThePairs() throws {
    var record = record(1)
    record.fault = "truncated"
    let ledgers = try Ledger.compute(
      read: [record, record], written: [unit(["0": .init(kept: 1), "1": .init(kept: 1)])])
    var total = ledgers[0]
    total.add(ledgers[1])
    #expect(total.faults == ["truncated": 2])
    #expect(total.read == 2)
  }
}
