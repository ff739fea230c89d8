import Shards

/// Walks forward through input shards by position. A worker keeps one, so an input shard that feeds several output
/// shards is gone through once a worker, not once an output shard.
struct ShardCursor {
  private let increment: Increment
  private let limits: ReadLimits
  private var open: (shard: Int, reader: ShardReader, next: Int)?

  init(_ increment: Increment, limits: ReadLimits) {
    self.increment = increment
    self.limits = limits
  }

  /// The whole sample at `place`.
  /// - Throws: `RunError.shardChanged` when the shard ends before it or no longer holds it whole.
  mutating func sample(at place: Plan.Position) throws(RunError) -> Sample {
    let shard = increment.shards[place.shard]
    if open?.shard != place.shard || open.map({ $0.next > place.ordinal }) ?? true {
      try shard.checkUnchanged()
      open = (place.shard, ShardReader(path: shard.path, limits: limits), 0)
    }
    while let (index, reader, next) = open, let event = reader.next() {
      open = (index, reader, next + 1)
      guard next == place.ordinal else { continue }
      guard case .sample(let sample) = event else { break }
      return sample
    }
    throw .shardChanged(path: shard.path, detail: "sample \(place.ordinal) isn't there any more")
  }
}
