import Shards

/// Walks forward through input shards by position. A worker keeps one, so an input shard that feeds several output
/// shards is gone through once a worker, not once an output shard.
struct ShardCursor {
  private let increment: Increment
  private let run: RunContext
  private var open: (shard: Int, reader: ShardReader, next: Int)?
  /// The file that `open` reads.
  private var local: LocalShard?

  init(_ increment: Increment, in run: RunContext) {
    self.increment = increment
    self.run = run
  }

  enum Found {
    case whole(Sample)
    /// Too large to be held: its members were given to the sink.
    case spilled(key: [UInt8])
  }

  /// The whole sample at `place`.
  /// - Throws: `RunError.shardChanged` when the shard ends before it or no longer holds it whole, `.badInput` when it can't
  ///   be read, `.damagedState` where the plan has it of a shard that couldn't be read when it was pinned.
  mutating func sample(at place: Plan.Position) throws -> Sample {
    guard case .whole(let sample) = try sample(at: place, spillingTo: NoSink()) else {
      throw gone(place)
    }
    return sample
  }

  /// The whole sample at `place`; one that is too large to be held goes to `sink`.
  /// - Throws: as above, and what `sink` throws.
  mutating func sample(at place: Plan.Position, spillingTo sink: some MemberSink) throws -> Found {
    let shard = increment.shards[place.shard]
    guard !shard.digest.isEmpty else {
      // A later run takes it for new, and would publish its pairs again.
      throw RunError.damagedState(
        file: run.directory.plan(increment.index),
        detail: "it has samples of \(shard.path), which couldn't be read when it was pinned")
    }
    if open?.shard != place.shard || open.map({ $0.next > place.ordinal }) ?? true {
      try shard.checkUnchanged()
      open = nil
      let local = try LocalShard(shard, in: run)
      self.local = local
      let limits = run.configuration.read.limits
      let reader = ShardReader(path: local.path, limits: limits, budget: .shared)
      open = (place.shard, reader, 0)
    }
    while let (index, reader, next) = open {
      let isWanted = next == place.ordinal
      guard let event = isWanted ? try reader.next(spillingTo: sink) : reader.next() else { break }
      open = (index, reader, next + 1)
      guard isWanted else { continue }
      switch event {
      case .sample(let sample): return .whole(sample)
      case .oversized(let key, _, _): return .spilled(key: key)
      case .cutShort:
        // What broke is told by the step after it.
        _ = reader.next()
        throw gone(place)
      case .unusable: throw gone(place)
      }
    }
    throw gone(place)
  }

  private func gone(_ place: Plan.Position) -> RunError {
    let shard = increment.shards[place.shard]
    let reader = open?.reader
    let message = local?.named(reader?.message)
    if let failure = shard.failure(reader?.fault, message) { return failure }
    return .shardChanged(
      path: shard.path,
      detail: message.map { reason($0, of: shard.path) }
        ?? "sample \(place.ordinal) isn't there any more")
  }
}
