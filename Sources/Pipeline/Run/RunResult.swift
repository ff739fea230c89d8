import ConfidentLearning

/// What a command left behind.
public struct RunResult: Sendable {
  /// Nil where the command ends before the shards are written.
  public var manifest: Manifest?
  /// Paths of the clean shards this command wrote.
  public var cleanShards: [String] = []
  /// Input shards and pairs that this command judged or embedded.
  public var newShards = 0
  public var newPairs = 0
  /// True when everything asked for was there already.
  public var isNothingNew = false
  /// Shards that couldn't be read to their end: path and what happened. Of all earlier runs, where nothing is new.
  public var faults: [(path: String, message: String)] = []
  /// Shards that pairs were published of and that changed or vanished since.
  public var stale: [StaleShard] = []
  /// Published files that don't lie there as they were published.
  public var damaged: [DamagedFile] = []
  /// Where the new pairs' scores aren't like those that the noise model was fitted on.
  public var drift: Drift?
  /// Where the folder was built anew: what it was before.
  public var previous: String?

  /// 0, or 3 when a shard couldn't be read to its end, or a published file is damaged.
  public var exitStatus: Int32 { (faults.isEmpty || isNothingNew) && damaged.isEmpty ? 0 : 3 }

  mutating func add(_ other: RunResult) {
    manifest = other.manifest ?? manifest
    cleanShards += other.cleanShards
    newShards += other.newShards
    newPairs += other.newPairs
    faults += other.faults
    drift = other.drift ?? drift
  }
}

extension RunResult {
  /// What an exit status of 3 stands for, a line each.
  public func troubles(in directory: RunDirectory) -> [String] {
    guard exitStatus != 0 else { return [] }
    var lines = isNothingNew ? [] : firstLines(of: faults, faultLine)
    lines += firstLines(of: damaged) {
      Inspection.printable("\(directory.path)/\($0.words)", limit: 8192)
    }
    if !damaged.isEmpty { lines.append("to mend that, \(RunError.damagedOutputRemedy)") }
    return lines
  }

  /// Of a run that found nothing new: how many shards the runs before couldn't read to their end, which each of them told in
  /// its turn, and where to look. Nil where there are none, or where they are this run's.
  public func earlierFaults(in directory: RunDirectory) -> String? {
    guard isNothingNew, let first = faults.first else { return nil }
    let path = Inspection.printable(first.path, limit: 4096)
    let others = faults.count > 1 ? ", ..." : ""
    return "not read to the end by earlier runs: \(counted(faults.count, "shard")) "
      + "(\(path)\(others)); \(directory.manifest) tells which and why"
  }
}

extension EmbeddingSummary {
  /// As the records of a run tell it.
  public var result: RunResult {
    RunResult(
      newShards: shards.count, newPairs: embedded,
      faults: shards.compactMap { shard in
        shard.fault.map { (path: shard.path, message: $0) }
      })
  }
}

/// A line for each of the first 20, and one that says how many more there are: nobody reads a mail of thousands.
public func firstLines<Item>(of items: [Item], _ line: (Item) -> String) -> [String] {
  let rest = items.count - 20
  return items.prefix(20).map(line) + (rest > 0 ? ["... and \(rest) more"] : [])
}

/// Most messages name the shard; a path is said once. One line, whatever a stranger called the file.
public func faultLine(_ fault: (path: String, message: String)) -> String {
  let isNamed = fault.message.contains(fault.path)
  let line = "not read to its end: " + (isNamed ? "" : "\(fault.path): ") + fault.message
  return Inspection.printable(line, limit: 8192)
}

/// "1 shard", "2 shards".
public func counted(_ number: Int, _ noun: String) -> String {
  "\(number) \(noun)\(number == 1 ? "" : "s")"
}
