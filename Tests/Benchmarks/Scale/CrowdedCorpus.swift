import Shards

/// Two shards of very many samples, each a line in every table and nothing else: an empty member, whose name of 250 bytes
/// leaves the folder. A shard of good pairs is beside them.
struct CrowdedCorpus {
  private static let shards = 2
  private static let pairs = 2000

  /// Writes shards of `samples` under `folder`.
  static func write(_ samples: Int, to folder: String) throws {
    try ScaleCorpus.write(pairs, from: 1000, size: pairs, to: folder)
    // Its two parts are as long as a tar's header has room for.
    let start = "../" + String(repeating: "p", count: 148) + "/" + String(repeating: "n", count: 87)
    for shard in 0..<shards {
      let path = "\(folder)/crowded-\(shard).tar.zst"
      let writer = try ShardWriter(path: path, compression: .zstd(level: 1))
      for number in 0..<samples {
        let name = start + ScaleCorpus.padded(number, 7) + ".png"
        try writer.append(Member(name: Array(name.utf8), bytes: []))
      }
      try writer.finish()
    }
  }
}
