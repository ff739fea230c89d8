import BenchmarkSupport
import Foundation
import Shards

/// Shards that cost as much memory as the limits allow, in every one of them: images of 25 million pixels behind a few
/// bytes, members and samples as large as may be held, a caption of 64 KiB, and one member that is far too large.
struct HostileCorpus {
  /// 5000 x 5000 is the default `images.maxPixels`.
  private static let side = 5000
  private static let member = 64 << 20

  /// Writes `count` shards under `folder`, among good pairs.
  static func write(_ count: Int, to folder: String) throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let images = try ImageWriter()
    let bombs = try bombs()
    for shard in 0..<count {
      let path = "\(folder)/\(ScaleCorpus.padded(shard, 6)).tar.zst"
      let writer = try ShardWriter(path: path, compression: .zstd(level: 1))
      func good(_ number: Int) throws {
        for member in try ScaleCorpus.pair(100 * shard + number, images) {
          try writer.append(member)
        }
      }
      for number in 0..<40 { try good(number) }
      // Every worker meets them at another time.
      for step in 0..<bombs.count {
        let (suffix, bytes) = bombs[(step + shard) % bombs.count]
        let key = "bomb-\(shard)-\(step)"
        try writer.append(Member(name: Array("\(key).\(suffix)".utf8), bytes: bytes))
        let caption = String(repeating: "a wall \(shard) ", count: 6000).prefix(60_000)
        try writer.append(Member(name: Array("\(key).txt".utf8), bytes: Array(caption.utf8)))
      }
      // The largest sample that is held: 3 members just within the limit, and a caption.
      let largest = [UInt8](repeating: 7, count: member - 4096)
      for suffix in ["a", "b", "jpg"] {
        try writer.append(Member(name: Array("large-\(shard).\(suffix)".utf8), bytes: largest))
      }
      try writer.append(Member(name: Array("large-\(shard).txt".utf8), bytes: Array("a wall".utf8)))
      try giant(shard, to: writer)
      for number in 40..<60 { try good(number) }
      try writer.finish()
    }
  }

  /// Images as large as may be, of every format.
  private static func bombs() throws -> [(suffix: String, bytes: [UInt8])] {
    // A turbojpeg encoder that made a progressive file goes on making such.
    let (images, progressive) = (try ImageWriter(), try ImageWriter())
    let pixels = side * side
    let grey = [UInt8](repeating: 90, count: 3 * pixels)
    return [
      (
        "png",
        try images.png(
          [UInt8](repeating: 200, count: 8 * pixels), width: side, height: side,
          channels: 4, depth: 16)
      ),
      ("jpg", try progressive.jpeg(grey, width: side, height: side, isProgressive: true)),
      ("webp", ImageWriter.plainWebP(side: side)),
      ("png", try images.png(grey, width: side, height: side)),
      ("jpg", try images.jpeg(grey, width: side, height: side)),
    ]
  }

  /// 2 GiB of zeros: too large to be held.
  private static func giant(_ shard: Int, to writer: ShardWriter) throws {
    let block = [UInt8](repeating: 0, count: 1 << 20)
    try writer.begin(name: Array("giant-\(shard).mp4".utf8), size: Int64(block.count) << 11)
    for _ in 0..<(1 << 11) { try block.withUnsafeBytes { try writer.write($0) } }
    try writer.end()
    try writer.append(Member(name: Array("giant-\(shard).txt".utf8), bytes: Array("a film".utf8)))
  }
}
