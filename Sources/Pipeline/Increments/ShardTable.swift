import Shards

extension Increment {
  /// Shards in their order, packed: each takes its path and fifty bytes, in a file once there are many.
  struct ShardTable: RandomAccessCollection, Sendable, Equatable {
    private struct Row: BitwiseCopyable {
      /// -1 where there is no identity.
      var size: Int64
      var modified: Int64
      var inode: UInt64
      /// Of the digest, both 0 where there is none.
      var high: UInt64
      var low: UInt64
    }

    private var paths = ShardPaths()
    private var rows = SpilledArray<Row>()
    /// Those that a row doesn't say all of: with another name than their path's, say.
    private var others: [Int: Shard] = [:]

    init() {}

    init(_ shards: some Sequence<Shard>) { for shard in shards { append(shard) } }

    var startIndex: Int { 0 }
    var endIndex: Int { rows.count }

    subscript(position: Int) -> Shard {
      get { others[position] ?? unpacked(paths[position], rows[position]) }
      set {
        // Its row and path stay what they were.
        others[position] = newValue
      }
    }

    mutating func append(_ shard: Shard) {
      let path = ShardPath(path: shard.path)
      let row = Row(
        size: shard.identity?.size ?? -1, modified: shard.identity?.modified ?? 0,
        inode: shard.identity?.inode ?? 0,
        high: UInt64(shard.digest.prefix(16), radix: 16) ?? 0,
        low: UInt64(shard.digest.dropFirst(16), radix: 16) ?? 0)
      if unpacked(path, row) != shard { others[rows.count] = shard }
      paths.append(path)
      rows.append(row)
    }

    private func unpacked(_ path: ShardPath, _ row: Row) -> Shard {
      let identity = FileIdentity(size: row.size, modified: row.modified, inode: row.inode)
      return Shard(
        path: path.path, name: path.name, identity: row.size < 0 ? nil : identity,
        digest: row.high == 0 && row.low == 0 ? "" : Digest.hex(high: row.high, low: row.low))
    }

    static func == (a: Self, b: Self) -> Bool { a.elementsEqual(b) }
  }
}

extension Increment.ShardTable: Codable {
  init(from decoder: any Decoder) throws {
    var container = try decoder.unkeyedContainer()
    while !container.isAtEnd { append(try container.decode(Increment.Shard.self)) }
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.unkeyedContainer()
    for shard in self { try container.encode(shard) }
  }
}
