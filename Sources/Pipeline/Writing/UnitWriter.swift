import CGlibc
import ConfidentLearning
import Foundation
import Layers
import Shards

/// Writes output shards, one after another.
struct UnitWriter {
  private let increment: Increment
  private let kinds: [String]
  private let model: NoiseModel
  private let run: RunContext
  private var cursor: ShardCursor
  /// The tables of the input shard looked at last.
  private var decisions: (shard: Int, table: SharedValues<DecisionTable>.Held)?
  private var scores: (shard: Int, notes: SharedValues<ScoreNotes>.Held)?
  private let tables: SharedTables
  /// Of the rejected shard at hand.
  private var neighbours = NeighbouringKeys()

  /// - Parameter tables: of all who write at a time.
  init(
    _ increment: Increment, kinds: [String], model: NoiseModel, tables: SharedTables,
    run: RunContext
  ) {
    self.increment = increment
    self.tables = tables
    self.kinds = kinds
    self.model = model
    self.run = run
    cursor = ShardCursor(increment, in: run)
  }

  /// - Parameter path: the file to write.
  /// - Returns: the finished file, which isn't synced, and its record.
  /// - Throws: `RunError.shardChanged` where a source isn't what was judged any more, `.damagedState` where plan or tables
  ///   contradict the increment.
  mutating func write(
    _ unit: Plan.Unit, to path: String, progress: ProgressCounter
  ) throws -> (file: ShardWriter, record: UnitRecord) {
    guard unit.isWithin(shards: increment.shards.count) else {
      throw RunError.damagedState(
        file: run.directory.plan(increment.index),
        detail: "\(unit.destination.rawValue) \(unit.index) isn't of the increment's "
          + "\(increment.shards.count) shards")
    }
    var record = UnitRecord(
      file: unit.file(suffix: run.configuration.write.suffix), pairs: 0, bytes: 0, digest: "",
      sources: [:])
    let digest = DigestStream()
    let writer = try ShardWriter(
      path: path, compression: run.configuration.write.compression, written: digest.add)
    neighbours = NeighbouringKeys()
    for shard in unit.start.shard...unit.end.shard {
      try copy(unit, from: shard, to: writer, &record, progress)
    }
    try writer.finish()
    // Clean shards don't need them.
    scores = nil
    for shard in unit.start.shard...unit.end.shard
    where record.sources[source(shard)] != nil {
      // Written to since it was opened, it gave bytes that nobody judged.
      try increment.shards[shard].checkUnchanged()
    }
    guard record.pairs == unit.pairs else {
      throw RunError.ledger(
        shard: run.outputPath(of: unit),
        detail: "\(unit.pairs) pairs planned, \(record.pairs) written")
    }
    record.bytes = try FileIdentity(of: path).size
    record.digest = digest.hex
    return (writer, record)
  }

  private mutating func copy(
    _ unit: Plan.Unit, from shard: Int, to writer: ShardWriter, _ record: inout UnitRecord,
    _ progress: ProgressCounter
  ) throws {
    let table = try decisionTable(shard)
    let first = shard == unit.start.shard ? unit.start.ordinal : 0
    let end = shard == unit.end.shard ? unit.end.ordinal : table.count
    guard first <= end, end <= table.count else {
      throw RunError.damagedState(
        file: run.directory.plan(increment.index),
        detail: "it has samples \(first) to \(end) of \(increment.shards[shard].name), of which "
          + "\(table.count) are decided")
    }
    var counts = UnitRecord.Counts()
    for row in first..<end where table.destination(row) == unit.destination {
      try run.cancellation.check()
      let place = Plan.Position(shard: shard, ordinal: row)
      if unit.destination == .rejected {
        let note = try self.note(on: row, table, shard)
        try reject(place, key: table.keys[row], note: note, to: writer)
        counts.rejected[note.reason, default: 0] += 1
      } else {
        let sample = try cursor.sample(at: place)
        try check(sample.key, is: table.keys[row], at: place)
        for member in sample.members { try writer.append(member) }
        counts.kept += 1
      }
      record.pairs += 1
      if record.pairs % 64 == 0 { progress.add(pairs: 64) }
    }
    if counts.kept > 0 || !counts.rejected.isEmpty {
      record.sources[source(shard)] = counts
    }
  }

  /// The shard's number in the folder.
  private func source(_ shard: Int) -> String { "\(increment.firstShard + shard)" }

  private mutating func reject(
    _ place: Plan.Position, key: [UInt8], note: RejectionNote, to writer: ShardWriter
  ) throws {
    let replacement = neighbours.add(
      key, reason: note.reason, increment.firstShard + place.shard, place.ordinal)
    let rejected = RejectedSample(
      note: note, replacement: replacement, to: writer, cancellation: run.cancellation)
    switch try cursor.sample(at: place, spillingTo: rejected) {
    case .whole(let sample):
      try check(sample.key, is: key, at: place)
      try rejected.append(sample)
      try rejected.finish(key: sample.key)
    case .spilled(let own):
      try check(own, is: key, at: place)
      try rejected.finish(key: own)
    }
  }

  /// - Throws: `RunError.shardChanged` for another sample than the one that was judged.
  private func check(
    _ found: [UInt8], is judged: [UInt8], at place: Plan.Position
  ) throws(RunError) {
    guard tableKey(found) != judged else { return }
    let keys = [tableKey(found), judged].map { String(decoding: $0, as: UTF8.self) }
    throw .shardChanged(
      path: increment.shards[place.shard].path,
      detail: "sample \(place.ordinal) is \(keys[0]), not \(keys[1])")
  }

  private mutating func note(
    on row: Int, _ table: DecisionTable, _ shard: Int
  ) throws -> RejectionNote {
    let known = try scoreNotes(shard)
    guard known.count == table.count else {
      throw RunError.damagedState(
        file: run.decisionPath(shard, increment),
        detail: "\(table.count) samples are decided, \(known.count) scored")
    }
    var note = RejectionNote(
      reason: table.reasons[row], detail: String(decoding: known.details[row], as: UTF8.self),
      shard: increment.shards[shard].name)
    if note.reason == Reason.repeatedKey {
      note.detail =
        "more than \(DecideStage.maxRepeats) pairs of the shard have the key of the one before them"
    }
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
      bankCaption: best.isNaN ? nil : String(decoding: known.bestCaptions[row], as: UTF8.self),
      bankScore: best.isNaN ? nil : best,
      bankFitsBetter: best.isNaN ? nil : best > score)
    return note
  }

  private mutating func scoreNotes(_ shard: Int) throws -> ScoreNotes {
    if let scores, scores.shard == shard { return scores.notes.value }
    scores = nil  // never two at a time
    let notes = try tables.scores.value(shard) {
      let notes = try ScoreNotes(path: ScoreFiles(shard, of: increment, in: run.directory).table)
      giveBackWhatReadingTook(rows: notes.count)
      return notes
    }
    scores = (shard, notes)
    return notes.value
  }

  private mutating func decisionTable(_ shard: Int) throws -> DecisionTable {
    if let decisions, decisions.shard == shard { return decisions.table.value }
    decisions = nil
    let table = try tables.decisions.value(shard) {
      let table = try DecisionTable(path: run.decisionPath(shard, increment))
      giveBackWhatReadingTook(rows: table.count)
      return table
    }
    decisions = (shard, table)
    return table.value
  }

  /// Reading a large table takes its size twice over, and malloc would keep that beside the shard that is written.
  private func giveBackWhatReadingTook(rows: Int) {
    if rows >= 1000 { malloc_trim(0) }
  }
}
