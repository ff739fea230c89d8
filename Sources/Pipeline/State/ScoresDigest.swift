/// The digest of what identifies the scores of many shards, in any order. A shard takes 32 bytes meanwhile.
struct ScoresDigest {
  private struct Line {
    /// The halves of the shard's digest; one that couldn't be read has none.
    var digest: (high: UInt64, low: UInt64)?
    /// Of `ends`.
    var end: Int
  }

  private var lines: [Line] = []
  /// What comes after the shard's digest: few differ.
  private var ends: [String] = []
  private var places: [String: Int] = [:]

  mutating func add(_ record: ShardScores) {
    let end = " \(record.ensembleDigest) \(record.settingsDigest) \(record.fault ?? "")\n"
    let place = places[end] ?? ends.count
    if place == ends.count {
      ends.append(end)
      places[end] = place
    }
    let digest = record.shardDigest
    let (high, low) = (
      UInt64(digest.prefix(16), radix: 16), UInt64(digest.dropFirst(16), radix: 16)
    )
    lines.append(Line(digest: high.flatMap { high in low.map { (high, $0) } }, end: place))
  }

  /// Of the lines in the order of their bytes.
  mutating func finish() -> String {
    let stream = DigestStream()
    let ends = ends
    lines.sort { a, b in
      switch (a.digest, b.digest) {
      case (nil, .some): true
      case (.some, nil): false
      case (let x?, let y?) where x != y: x < y
      default: ends[a.end] < ends[b.end]
      }
    }
    for line in lines {
      let digest = line.digest.map { Digest.hex(high: $0.high, low: $0.low) } ?? ""
      Array((digest + ends[line.end]).utf8).withUnsafeBytes { stream.add($0) }
    }
    return stream.hex
  }
}
