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
