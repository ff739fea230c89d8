import Foundation

/// Where the pairs of input shards went.
enum PublishedShards {
  /// Fills in the clean shards that hold pairs of stale shards.
  static func complete(_ stale: [StaleShard], in run: RunContext) throws -> [StaleShard] {
    guard !stale.isEmpty else { return [] }
    var stale = stale
    let manifest = try Manifest(of: run.directory)
    for index in manifest.clean.indices {
      let unit = Plan.Unit(
        destination: .clean, index: index, start: .init(shard: 0, ordinal: 0),
        end: .init(shard: 0, ordinal: 0), pairs: 0)
      // A shard of restored pairs has no record.
      guard FileManager.default.fileExists(atPath: run.recordPath(of: unit)) else { continue }
      let record = try StateJSON.decode(UnitRecord.self, from: run.recordPath(of: unit))
      for i in stale.indices {
        guard let kept = record.sources["\(stale[i].index)"]?.kept, kept > 0 else { continue }
        stale[i].published[manifest.clean[index].file] = kept
      }
    }
    return stale
  }
}
