import Foundation

/// Where the pairs of input shards went.
enum PublishedShards {
  /// Fills in the clean shards that hold pairs of stale shards.
  static func complete(_ stale: [StaleShard], in run: RunContext) throws -> [StaleShard] {
    guard !stale.isEmpty else { return [] }
    var stale = stale
    let places = Dictionary(stale.enumerated().map { ($1.index, $0) }) { first, _ in first }
    let manifest = try Manifest(of: run.directory)
    for index in manifest.clean.indices {
      let unit = Plan.Unit(
        destination: .clean, index: index, start: .init(shard: 0, ordinal: 0),
        end: .init(shard: 0, ordinal: 0), pairs: 0)
      // A shard of restored pairs has no record.
      guard FileManager.default.fileExists(atPath: run.recordPath(of: unit)) else { continue }
      let record = try StateJSON.decode(UnitRecord.self, from: run.recordPath(of: unit))
      for (source, counts) in record.sources where counts.kept > 0 {
        guard let i = Int(source).flatMap({ places[$0] }) else { continue }
        stale[i].published[manifest.clean[index].file] = counts.kept
      }
    }
    for (file, pairs) in Dictionary(grouping: manifest.restored, by: \.rejected) {
      guard let index = manifest.rejected.firstIndex(where: { $0.file == file }) else { continue }
      let unit = Plan.Unit(
        destination: .rejected, index: index, start: .init(shard: 0, ordinal: 0),
        end: .init(shard: 0, ordinal: 0), pairs: 0)
      guard FileManager.default.fileExists(atPath: run.recordPath(of: unit)) else { continue }
      let record = try StateJSON.decode(UnitRecord.self, from: run.recordPath(of: unit))
      // It holds the samples in the order of their shards.
      var end = 0
      let sources = record.sources.compactMap { source, counts in
        Int(source).map { ($0, counts.rejected.values.reduce(0, &+)) }
      }
      for (source, count) in sources.sorted(by: { $0.0 < $1.0 }) {
        let start = end
        end &+= count
        guard let i = places[source] else { continue }
        for pair in pairs where start <= pair.ordinal && pair.ordinal < end {
          stale[i].published[pair.clean, default: 0] += 1
        }
      }
    }
    return stale
  }
}
