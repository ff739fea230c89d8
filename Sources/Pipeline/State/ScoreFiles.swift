import Foundation

/// The three files of a judged shard under `.winnow/scores`. The record is written last: a shard with a record is done.
struct ScoreFiles {
  let table: String
  let statistics: String
  let record: String

  init(_ i: Int, of increment: Increment, in directory: RunDirectory) {
    let stem =
      "\(directory.scores)/\(RunDirectory.stem(increment.firstShard + i, increment.shards[i].name))"
    (table, statistics, record) = (stem + ".npz", stem + ".statistics.json", stem + ".record.json")
  }

  var exist: Bool { [record, statistics, table].allSatisfy(FileManager.default.fileExists) }

  /// - Throws: `RunError.file`.
  func remove() throws(RunError) {
    for file in [record, statistics, table] where unlink(file) != 0 && errno != ENOENT {
      throw .file(path: file, operation: "delete", code: errno)
    }
  }

  /// Goes through the records of all shards; together they would take memory.
  /// - Throws: `RunError.missing` for a shard that isn't scored, `.shardChanged` for one that was scored with other bytes;
  ///   what `body` throws.
  static func forEachRecord(
    of increment: Increment, in directory: RunDirectory,
    _ body: (_ i: Int, _ record: ShardScores) throws -> Void
  ) throws {
    var first: ShardScores?
    for (i, shard) in increment.shards.enumerated() {
      let files = ScoreFiles(i, of: increment, in: directory)
      let record = try StateJSON.decode(
        ShardScores.self, from: files.record, remedy: "run `winnow score` to its end first")
      guard record.shardDigest == shard.digest else {
        throw RunError.shardChanged(path: shard.path, detail: "it isn't what was scored")
      }
      if let first, record.settingsDigest != first.settingsDigest {
        throw RunError.damagedState(
          file: files.record, detail: "it was scored with other settings than \(first.shard)")
      }
      first = first ?? record
      try body(i, record)
    }
  }
}

/// What came of scoring an increment, or a process' share of it.
struct ScoreSummary {
  /// Names of the score columns.
  var kinds: [String] = []
  var shards = 0
  /// Read, with a score or without.
  var pairs = 0
  /// The shards that couldn't be read to their end.
  var faults: [(path: String, message: String)] = []

  mutating func add(_ record: ShardScores, of shard: Increment.Shard) {
    if shards == 0 { kinds = record.kinds }
    shards += 1
    // Wrapping: a damaged record may hold any number.
    pairs &+= record.read
    if let text = record.faultText { faults.append((shard.path, text)) }
  }
}
