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

  /// The record of every shard.
  /// - Throws: `RunError.missing` for a shard that isn't scored, `.shardChanged` for one that was scored with other bytes.
  static func records(
    of increment: Increment, in directory: RunDirectory
  ) throws(RunError) -> [ShardScores] {
    var records: [ShardScores] = []
    for (i, shard) in increment.shards.enumerated() {
      let files = ScoreFiles(i, of: increment, in: directory)
      let record = try StateJSON.decode(
        ShardScores.self, from: files.record, remedy: "run `winnow score` to its end first")
      guard record.shardDigest == shard.digest else {
        throw .shardChanged(path: shard.path, detail: "it isn't what was scored")
      }
      if let first = records.first, record.settingsDigest != first.settingsDigest {
        throw .damagedState(
          file: files.record, detail: "it was scored with other settings than \(first.shard)")
      }
      records.append(record)
    }
    return records
  }
}
