import ConfidentLearning
import Foundation
import Layers
import Shards
import Testing

@testable import Pipeline

/// Sources, plans and tables that aren't what they were when an output shard is written.
@Suite struct UnitWriterTests {
  private let folder: TemporaryFolder
  private let run: RunContext
  private let increment: Increment

  /// One shard of four samples, pinned.
  init() throws {
    folder = try TemporaryFolder()
    run = try RunContext(
      configuration: RunConfiguration(), directory: RunDirectory(folder.path("out")))
    try run.directory.prepare()
    for path in [run.directory.clean, run.directory.rejected, run.directory.decisions] {
      try run.directory.makeFolder(path)
    }
    try Self.write("first", to: folder.path("a.tar"))
    increment = try Increment.pin(
      ShardSelection(shards: [ShardPath(path: folder.path("a.tar"))]), in: run)
  }

  private static func write(_ text: String, to path: String) throws {
    let writer = try ShardWriter(path: path, compression: .none)
    for i in 0..<4 {
      try writer.append(Member(name: Array("\(i).txt".utf8), bytes: Array(text.utf8)))
    }
    try writer.finish()
  }

  private func decide(kept: Bool) throws {
    var table = DecisionTable(kinds: 1)
    for i in 0..<4 {
      table.keys.append(Array("\(i)".utf8))
      table.scores.append(1)
      table.mismatch.append(0)
      table.cautiousMismatch.append(0)
      table.kept.append(kept)
      table.reasons.append(kept ? "" : Reason.mismatch)
    }
    try table.write(to: run.decisionPath(0, increment))
  }

  private func writer() throws -> UnitWriter {
    UnitWriter(increment, kinds: ["a"], model: try model(), tables: SharedTables(), run: run)
  }

  private func model() throws -> NoiseModel {
    var random = SeededRandom(seed: 1)
    var statistics = PairStatistics()
    for i in 0..<2000 {
      let part = i % PairStatistics.partCount
      statistics.add(observed: random.normal() + (i % 5 == 0 ? 0 : 3), part: part)
      statistics.add(randomRepaired: random.normal(), part: part)
      statistics.add(clusterRepaired: random.normal() + 1, part: part)
    }
    return try NoiseModel.fit(
      statistics, repairing: .both, cut: .keepFraction(0.7), resamples: 10)
  }

  private func unit(
    _ start: (Int, Int), _ end: (Int, Int), index: Int = 0,
    to destination: Plan.Destination = .clean
  ) -> Plan.Unit {
    Plan.Unit(
      destination: destination, index: index, start: .init(shard: start.0, ordinal: start.1),
      end: .init(shard: end.0, ordinal: end.1), pairs: 2)
  }

  /// What keeps a shard from being written.
  private func failure(_ writer: inout UnitWriter, _ unit: Plan.Unit) -> RunError? {
    do {
      _ = try write(unit, with: &writer)
      return nil
    } catch {
      return error as? RunError
    }
  }

  private func draft(of unit: Plan.Unit) -> String { folder.path("\(unit.index).draft") }

  private func write(_ unit: Plan.Unit, with writer: inout UnitWriter) throws -> UnitRecord {
    let (file, record) = try writer.write(
      unit, to: draft(of: unit), progress: ProgressCounter(.write, total: 1) { _ in })
    try file.sync()
    return record
  }

  @Test func bytesThatNobodyJudgedAreNotPublished() throws {
    try decide(kept: true)
    var writer = try writer()
    let first = failure(&writer, unit((0, 0), (0, 2)))
    #expect(first == nil)
    // The writer has it open, and goes on in it.
    let shard = folder.path("a.tar")
    try Self.write("other", to: shard)
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSince1970: 1)], ofItemAtPath: shard)
    let second = unit((0, 2), (0, 4), index: 1)
    let text = failure(&writer, second)?.description ?? "it was written"
    #expect(text.contains("a.tar changed") && text.contains("its size is the same"), "\(text)")
    #expect(throws: RunError.self) {
      try WriteStage.run([second], increment, kinds: ["a"], model: model(), in: run)
    }
    #expect(!FileManager.default.fileExists(atPath: run.recordPath(of: second)))
    let published = try FileManager.default.contentsOfDirectory(atPath: run.directory.clean)
    #expect(published == [])
  }

  @Test func afterAShardThatFailsNoOtherIsBegun() throws {
    try decide(kept: true)
    var units = [unit((0, 0), (0, 9))]
    for i in 1..<6 { units.append(unit((0, 0), (0, 2), index: i)) }
    var configuration = run.configuration
    configuration.workers = 1
    let run = try RunContext(configuration: configuration, directory: run.directory)
    #expect(throws: RunError.self) {
      try WriteStage.run(units, increment, kinds: ["a"], model: model(), in: run)
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: run.directory.clean) == [])
    let drafts = try FileManager.default.contentsOfDirectory(atPath: run.directory.temporary)
    #expect(drafts == [])
  }

  @Test func theDigestIsThatOfTheFile() throws {
    try decide(kept: true)
    var writer = try writer()
    let unit = unit((0, 0), (0, 2))
    let record = try write(unit, with: &writer)
    let path = draft(of: unit)
    #expect(record.digest == (try Digest.ofFile(path, cancellation: Cancellation())))
    #expect(record.bytes == (try FileIdentity(of: path).size))
  }

  /// Shard and ordinal of the start and of the end.
  @Test(arguments: [
    [0, 0, 0, 9], [0, 9, 0, 9], [0, 3, 0, 1], [1, 0, 0, 1], [0, 0, 1, 1], [-1, 0, 0, 1],
    [0, -1, 0, 1], [0, 0, 0, Int.max],
  ])
  func aPlanThatLeadsOutOfTheTablesIsDamaged(places: [Int]) throws {
    try decide(kept: true)
    var writer = try writer()
    let error = failure(&writer, unit((places[0], places[1]), (places[2], places[3])))
    guard case .damagedState(let file, _)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(file == run.directory.plan(0))
  }

  @Test func aPlanThatNamesAShardTwiceIsDamaged() throws {
    struct PlanFile: Codable {
      var formatVersion = StateJSON.formatVersion
      var units: [Plan.Unit]
    }
    let unit = unit((0, 0), (0, 2))
    try run.publishing.publish(json: PlanFile(units: [unit, unit]), to: run.directory.plan(0))
    #expect {
      try WriteStage.plan(increment, after: nil, in: run)
    } throws: {
      if case RunError.damagedState = $0 { true } else { false }
    }
  }

  @Test func moreDecisionsThanScoresAreDamage() throws {
    try decide(kept: false)
    try ScoreTable(kinds: 1).write(to: ScoreFiles(0, of: increment, in: run.directory).table)
    var writer = try writer()
    let error = failure(&writer, unit((0, 0), (0, 2), to: .rejected))
    guard case .damagedState(let file, _)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(file == run.decisionPath(0, increment))
  }
}
