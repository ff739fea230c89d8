import ConfidentLearning
import Foundation
import Layers
import Shards

/// A finished output shard, as counted by its writer: `.winnow/units/clean-000000.json`.
struct UnitRecord: Codable, Sendable {
  struct Counts: Codable, Sendable {
    var kept = 0
    var rejected: [String: Int] = [:]
  }

  var formatVersion = StateJSON.formatVersion
  var file: String
  var pairs: Int
  var bytes: Int64
  /// XXH3-128, hex.
  var digest: String
  /// What came from each input shard, by its index.
  var sources: [String: Counts]
}

/// Stage "write": the planned output shards, each an independent unit of work. Members are copied byte for byte.
enum WriteStage {
  static func plan(_ increment: Increment, in run: RunContext) throws -> Plan {
    var plan = Plan(shardSize: run.configuration.write.shardSize)
    for i in increment.shards.indices {
      try run.cancellation.check()
      plan.add(try DecisionTable(path: run.decisionPath(i, increment)), shard: i)
    }
    plan.finish()
    return plan
  }

  /// - Parameters:
  ///   - kinds: names of the score columns.
  ///   - model: that decided.
  static func run(
    _ plan: Plan, _ increment: Increment, kinds: [String], model: NoiseModel, in run: RunContext
  ) throws -> [UnitRecord] {
    let suffix = run.configuration.write.suffix
    for destination in Plan.Destination.allCases {
      let folder = run.folder(of: destination)
      try run.directory.makeFolder(folder)
      let sizes = plan.sizes(of: destination, suffix: suffix)
      let file = "\(folder)/sizes.json"
      if !FileManager.default.fileExists(atPath: file) {
        try run.publishing.publish(json: sizes, to: file)
      }
    }
    let progress = ProgressCounter(.write, total: plan.units.count, observe: run.observe)
    return try parallelMap(
      plan.units.count, workers: run.workers,
      state: UnitWriter(increment, kinds: kinds, model: model, run: run)
    ) { writer, i in
      let unit = plan.units[i]
      defer { progress.add(done: 1) }
      if let record = try finished(unit, in: run) { return record }
      return try writer.write(unit, progress: progress)
    }
  }

  private static func finished(
    _ unit: Plan.Unit, in run: RunContext
  ) throws(RunError) -> UnitRecord? {
    let path = run.outputPath(of: unit)
    let state = run.recordPath(of: unit)
    guard let identity = try? FileIdentity(of: path),
      FileManager.default.fileExists(atPath: state)
    else { return nil }
    let record = try StateJSON.decode(UnitRecord.self, from: state)
    return record.bytes == identity.size && record.pairs == unit.pairs ? record : nil
  }
}

/// Writes output shards, one after another, on one thread.
private struct UnitWriter {
  private let increment: Increment
  private let kinds: [String]
  private let model: NoiseModel
  private let run: RunContext
  private var cursor: ShardCursor
  /// The tables of the input shard looked at last.
  private var decisions: (shard: Int, table: DecisionTable)?
  private var scores: (shard: Int, table: ScoreTable)?

  init(_ increment: Increment, kinds: [String], model: NoiseModel, run: RunContext) {
    self.increment = increment
    self.kinds = kinds
    self.model = model
    self.run = run
    cursor = ShardCursor(increment, limits: run.configuration.read.limits)
  }

  mutating func write(_ unit: Plan.Unit, progress: ProgressCounter) throws -> UnitRecord {
    let path = run.outputPath(of: unit)
    var record = UnitRecord(
      file: unit.file(suffix: run.configuration.write.suffix), pairs: 0, bytes: 0, digest: "",
      sources: [:])
    try run.publishing.publish(path) { draft in
      let writer = try ShardWriter(
        path: draft, compression: run.configuration.write.compression)
      for shard in unit.start.shard...unit.end.shard {
        try copy(unit, from: shard, to: writer, &record, progress)
      }
      try writer.finish()
      guard record.pairs == unit.pairs else {
        throw RunError.ledger(
          shard: path, detail: "\(unit.pairs) pairs planned, \(record.pairs) written")
      }
      record.bytes = try FileIdentity(of: draft).size
      record.digest = try Digest.ofFile(draft, cancellation: run.cancellation)
      // Before the shard appears, so that a shard that is visible has been counted.
      try run.publishing.publish(json: record, to: run.recordPath(of: unit))
    }
    return record
  }

  private mutating func copy(
    _ unit: Plan.Unit, from shard: Int, to writer: ShardWriter, _ record: inout UnitRecord,
    _ progress: ProgressCounter
  ) throws {
    let table = try decisionTable(shard)
    let first = shard == unit.start.shard ? unit.start.ordinal : 0
    let end = shard == unit.end.shard ? unit.end.ordinal : table.count
    var counts = UnitRecord.Counts()
    for row in first..<max(first, end) where unit.destination.takes(row, of: table) {
      try run.cancellation.check()
      let sample = try cursor.sample(at: Plan.Position(shard: shard, ordinal: row))
      guard tableKey(sample.key) == table.keys[row] else {
        let keys = [tableKey(sample.key), table.keys[row]].map {
          String(decoding: $0, as: UTF8.self)
        }
        throw RunError.shardChanged(
          path: increment.shards[shard].path, detail: "sample \(row) is \(keys[0]), not \(keys[1])")
      }
      var members = sample.members
      if unit.destination == .rejected {
        let note = try self.note(on: row, table, shard)
        members = try rejectedMembers(of: sample, note: note, shard: shard, ordinal: row)
        counts.rejected[note.reason, default: 0] += 1
      } else {
        counts.kept += 1
      }
      for member in members { try writer.append(member) }
      record.pairs += 1
      if record.pairs % 64 == 0 { progress.add(pairs: 64) }
    }
    if counts.kept > 0 || !counts.rejected.isEmpty { record.sources["\(shard)"] = counts }
  }

  private mutating func note(
    on row: Int, _ table: DecisionTable, _ shard: Int
  ) throws -> RejectionNote {
    let known = try scoreTable(shard)
    var note = RejectionNote(
      reason: table.reasons[row], detail: known.details[row], shard: increment.shards[shard].name)
    guard !table.mismatch[row].isNaN else { return note }
    let columns = (row * table.kinds)..<((row + 1) * table.kinds)
    let named = zip(kinds, table.scores[columns])
    note.scores = Dictionary(named) { first, _ in first }
    note.mismatch = table.mismatch[row]
    guard note.reason == Reason.mismatch else { return note }
    let score = known.combined[row]
    let best = known.bestScores[row]
    let threshold = model.scoreThreshold
    note.verdict = RejectionNote.Verdict(
      score: score, cautiousMismatch: table.cautiousMismatch[row], threshold: threshold,
      below: threshold - Double(score),
      against: named.filter { Double($0.1) < threshold }.sorted { $0.1 < $1.1 }.map(\.0),
      bankCaption: best.isNaN ? nil : known.bestCaptions[row], bankScore: best.isNaN ? nil : best,
      bankFitsBetter: best.isNaN ? nil : best > score)
    return note
  }

  private mutating func scoreTable(_ shard: Int) throws -> ScoreTable {
    if let scores, scores.shard == shard { return scores.table }
    let table = try ScoreTable(path: ScoreFiles(shard, of: increment, in: run.directory).table)
    scores = (shard, table)
    return table
  }

  private mutating func decisionTable(_ shard: Int) throws -> DecisionTable {
    if let decisions, decisions.shard == shard { return decisions.table }
    let table = try DecisionTable(path: run.decisionPath(shard, increment))
    decisions = (shard, table)
    return table
  }
}

extension RunContext {
  func folder(of destination: Plan.Destination) -> String {
    destination == .clean ? directory.clean : directory.rejected
  }

  func outputPath(of unit: Plan.Unit) -> String {
    "\(folder(of: unit.destination))/\(unit.file(suffix: configuration.write.suffix))"
  }

  func recordPath(of unit: Plan.Unit) -> String {
    "\(directory.units)/\(unit.destination.rawValue)-\(RunDirectory.padded(unit.index)).json"
  }
}
