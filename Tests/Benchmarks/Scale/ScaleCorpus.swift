import BenchmarkSupport
import Foundation
import Layers
import Shards

/// Pairs of small drawn images and captions, every seventh caption that of another image. Every pair is different, and
/// pair `i` is the same in every corpus.
struct ScaleCorpus {
  private static let colours: [(name: String, rgb: [Int])] = [
    ("red", [220, 30, 30]), ("green", [30, 190, 40]), ("blue", [40, 60, 220]),
    ("yellow", [230, 220, 40]), ("black", [10, 10, 10]), ("white", [250, 250, 250]),
    ("pink", [240, 130, 180]), ("brown", [120, 70, 20]),
  ]
  private static let shapes = ["square", "circle", "stripe", "cross", "ring", "triangle"]
  private static let papers: [(name: String, grey: Int)] = [
    ("dark", 60), ("grey", 120), ("light", 180),
  ]

  /// Writes pairs `first..<first + count` into shards of `size` under `folder`, one pair in memory at a time.
  static func write(_ count: Int, from first: Int, size: Int, to folder: String) throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let images = try ImageWriter()
    for start in stride(from: 0, to: count, by: size) {
      let path = "\(folder)/\(padded(start / size, 6)).tar"
      let writer = try ShardWriter(path: path, compression: .none)
      for i in first + start..<first + min(count, start + size) {
        for member in try pair(i, images) { try writer.append(member) }
      }
      try writer.finish()
    }
  }

  /// Pair `i`: `KEY.jpg` (every fifth `KEY.png`) of 32 to 64 pixels a side, and `KEY.txt`.
  static func pair(_ i: Int, _ images: ImageWriter) throws -> [Member] {
    var random = SeededRandom(seed: UInt64(i))
    let side = 32 + 8 * Int(random.next() % 5)
    let pixels = drawing(i, side, &random)
    let isPNG = i % 5 == 4
    let image =
      try isPNG
      ? images.png(pixels, width: side, height: side)
      : images.jpeg(pixels, width: side, height: side)
    let told = i % 7 == 3 ? i + 1 + Int(random.next() % 100) : i
    let (colour, shape, paper) = parts(told)
    let caption =
      "a \(colours[colour].name) \(shapes[shape]) on \(papers[paper].name) paper, number \(i)"
    let key = padded(i, 9)
    return [
      Member(name: Array("\(key).\(isPNG ? "png" : "jpg")".utf8), bytes: image),
      Member(name: Array("\(key).txt".utf8), bytes: Array(caption.utf8)),
    ]
  }

  private static func parts(_ i: Int) -> (colour: Int, shape: Int, paper: Int) {
    var random = SeededRandom(seed: UInt64(i) ^ 0x5EED)
    return (
      Int(random.next() % UInt64(colours.count)), Int(random.next() % UInt64(shapes.count)),
      Int(random.next() % UInt64(papers.count))
    )
  }

  /// `[side, side, 3]`
  private static func drawing(_ i: Int, _ side: Int, _ random: inout SeededRandom) -> [UInt8] {
    let (colour, shape, paper) = parts(i)
    let rgb = colours[colour].rgb
    let (dx, dy) = (Int(random.next() % 9) - 4, Int(random.next() % 9) - 4)
    var pixels: [UInt8] = []
    pixels.reserveCapacity(side * side * 3)
    for y in 0..<side {
      for x in 0..<side {
        let noise = Int(random.next() & 7)
        let isInk = covers(shape, 64 * x / side - 32 - dx, 64 * y / side - 32 - dy)
        for channel in 0..<3 {
          let value = (isInk ? rgb[channel] : papers[paper].grey) + noise
          pixels.append(UInt8(max(0, min(255, value))))
        }
      }
    }
    return pixels
  }

  private static func covers(_ shape: Int, _ u: Int, _ v: Int) -> Bool {
    switch shape {
    case 0: max(abs(u), abs(v)) < 18
    case 1: u * u + v * v < 400
    case 2: abs(v) < 8
    case 3: min(abs(u), abs(v)) < 7
    case 4: (150..<450).contains(u * u + v * v)
    default: abs(u) < v + 18 && v < 16
    }
  }

  static func padded(_ number: Int, _ digits: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
  }
}
