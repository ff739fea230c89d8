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
  /// What came from each input shard, by its number in the folder.
  var sources: [String: Counts]
}

/// Stage "write": the planned output shards, each an independent unit of work. Members are copied byte for byte.
enum WriteStage {
  private struct PlanFile: Codable {
    var formatVersion = StateJSON.formatVersion
    var units: [Plan.Unit]
  }

  /// The increment's output shards, planned once: pinned before one of them appears, and after `sizes.json` names them.
  /// - Parameter earlier: the manifest of the increments before.
  static func plan(
    _ increment: Increment, after earlier: Manifest?, in run: RunContext
  ) throws -> [Plan.Unit] {
    let file = run.directory.plan(increment.index)
    let isPinned = FileManager.default.fileExists(atPath: file)
    let units =
      isPinned
      ? try pinned(in: file)
      : try makePlan(increment, after: earlier, in: run).units
    for destination in Plan.Destination.allCases {
      try run.directory.makeFolder(run.folder(of: destination))
      try publishSizes(units, of: destination, after: earlier, in: run)
    }
    if !isPinned { try run.publishing.publish(json: PlanFile(units: units), to: file) }
    return units
  }

  /// - Throws: `RunError.missing`, `.file`, `.otherFormat`, `.damagedState`.
  private static func pinned(in file: String) throws(RunError) -> [Plan.Unit] {
    let units = try StateJSON.decode(PlanFile.self, from: file).units
    let names = Set(units.map { "\($0.destination.rawValue) \($0.index)" })
    guard names.count == units.count else {
      throw .damagedState(file: file, detail: "it names an output shard twice")
    }
    return units
  }

  private static func makePlan(
    _ increment: Increment, after earlier: Manifest?, in run: RunContext
  ) throws -> Plan {
    var plan = Plan(
      shardSize: run.configuration.write.shardSize, firstShard: increment.firstShard,
      after: earlier.map { [.clean: $0.clean.count, .rejected: $0.rejected.count] } ?? [:])
    for i in increment.shards.indices {
      try run.cancellation.check()
      plan.add(try DecisionTable(path: run.decisionPath(i, increment)), shard: i)
    }
    plan.finish()
    return plan
  }

  /// `sizes.json`, before the shards that it names can be seen: trainers fail on a shard that it lacks.
  /// - Returns: whether it was another one, or none.
  @discardableResult
  static func publishSizes(
    _ units: [Plan.Unit], of destination: Plan.Destination, after earlier: Manifest?,
    in run: RunContext
  ) throws -> Bool {
    var sizes = Plan.sizes(units, of: destination, suffix: run.configuration.write.suffix)
    let dropped = destination == .rejected ? try DroppedOutput(of: run.directory).rejected : 0
    let before = destination == .clean ? earlier?.clean : earlier?.rejected
    for output in (before ?? []).dropFirst(dropped) { sizes[output.file] = output.pairs }
    let file = "\(run.folder(of: destination))/sizes.json"
    let data = try StateJSON.encode(sizes)
    guard FileManager.default.contents(atPath: file) != data else { return false }
    try run.publishing.publish(data, to: file)
    return true
  }

  /// Writes this process' share of the planned shards, but for those that are there.
  /// - Parameters:
  ///   - kinds: names of the score columns.
  ///   - model: that decided.
  static func run(
    _ units: [Plan.Unit], _ increment: Increment, kinds: [String], model: NoiseModel,
    in run: RunContext
  ) throws {
    let share = run.rank.share(of: units.count).map { units[$0] }
    let open = try share.filter { unit in
      try run.cancellation.check()
      return try finished(unit, in: run) == nil
    }
    let progress = ProgressCounter(.write, total: share.count, observe: run.observe)
    progress.add(done: share.count - open.count)
    let tables = SharedTables()
    let writers = Pool(
      (0..<run.workers).map { _ in
        UnitWriter(increment, kinds: kinds, model: model, tables: tables, run: run)
      })
    // One thread more than write: it syncs a shard to the disk while the next one is written.
    _ = try parallelMap(open.count, workers: run.workers + 1) { i in
      let unit = open[i]
      defer { progress.add(done: 1) }
      do {
        try run.publishing.publish(run.outputPath(of: unit)) { draft in
          let (file, record) = try writers.with(turn: i) {
            try $0.write(unit, to: draft, progress: progress)
          }
          try file.sync()
          // Before the shard appears, so that a shard that is visible has been counted.
          try run.publishing.publish(json: record, to: run.recordPath(of: unit))
        }
      } catch {
        writers.close(error)
        throw error
      }
    }
  }

  /// The record of a planned shard.
  /// - Throws: `RunError.missing` where it isn't written.
  static func record(of unit: Plan.Unit, in run: RunContext) throws(RunError) -> UnitRecord {
    guard let record = try finished(unit, in: run) else {
      throw .missing(
        file: run.outputPath(of: unit), remedy: "run `winnow filter` to its end, with every rank")
    }
    return record
  }

  /// Whether every planned shard of an increment is written.
  static func isWritten(_ index: Int, in run: RunContext) throws(RunError) -> Bool {
    for unit in try pinned(in: run.directory.plan(index))
    where try finished(unit, in: run) == nil { return false }
    return true
  }

  /// Takes the plan of an increment back if none of its shards can have appeared. `sizes.json` names them until the next
  /// plan's does.
  /// - Returns: whether it did.
  static func takeBackPlan(_ index: Int, in run: RunContext) throws(RunError) -> Bool {
    let file = run.directory.plan(index)
    let units = try pinned(in: file)
    if units.contains(where: { FileManager.default.fileExists(atPath: run.recordPath(of: $0)) }) {
      return false
    }
    guard unlink(file) == 0 else { throw .file(path: file, operation: "delete", code: errno) }
    if index == 0 { takeBackFolders(in: run) }
    return true
  }

  /// Where nothing is published: without increment, the folder is to be a new one.
  static func takeBackFolders(in run: RunContext) {
    try? FileManager.default.removeItem(atPath: run.directory.decisions)
    for folder in [run.directory.clean, run.directory.rejected] {
      unlink("\(folder)/sizes.json")
      rmdir(folder)
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
