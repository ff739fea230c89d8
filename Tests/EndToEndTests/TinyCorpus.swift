import Foundation
import Shards

/// Pairs of coloured shapes and their captions, every seventh caption wrong.
enum TinyCorpus {
  private static let colours: [(name: String, rgb: [UInt8])] = [
    ("red", [220, 30, 30]), ("green", [30, 190, 40]), ("blue", [40, 60, 220]),
    ("yellow", [230, 220, 40]), ("black", [10, 10, 10]),
  ]
  private static let shapes = ["square", "circle", "stripe", "cross"]

  /// Sample `i`: `KEY.png`, `KEY.txt` and a `KEY.json` that no stage looks at.
  static func sample(_ i: Int, key: String? = nil) -> [Member] {
    let key = key ?? padded(i)
    let told = i % 7 == 3 ? i + 11 : i
    let caption = "a \(colour(told).name) \(shape(told)) number \(i)"
    return [
      Member(name: Array("\(key).png".utf8), bytes: image(i)),
      Member(name: Array("\(key).txt".utf8), bytes: Array(caption.utf8)),
      Member(name: Array("\(key).json".utf8), bytes: Array("{\"uid\": \(i)}".utf8)),
    ]
  }

  /// `count` pairs in shards of `size`: `000000.tar` and on.
  static func write(_ count: Int, size: Int, to folder: String) throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    for (number, first) in stride(from: 0, to: count, by: size).enumerated() {
      let members = (first..<min(count, first + size)).flatMap { sample($0) }
      try write(members, to: "\(folder)/\(padded(number)).tar")
    }
  }

  static func write(
    _ members: [Member], to path: String, compression: ShardCompression = .none
  ) throws {
    let writer = try ShardWriter(path: path, compression: compression)
    for member in members { try writer.append(member) }
    try writer.finish()
  }

  private static func colour(_ i: Int) -> (name: String, rgb: [UInt8]) {
    colours[i % colours.count]
  }

  private static func shape(_ i: Int) -> String { shapes[i / colours.count % shapes.count] }

  private static func image(_ i: Int) -> [UInt8] {
    let paper = UInt8(200 + i % 50)
    let (dx, dy) = (i % 5 - 2, i / 5 % 5 - 2)
    return TinyPNG.encode(width: 24, height: 24) { x, y in
      let (u, v) = (x - 12 - dx, y - 12 - dy)
      let isInk =
        switch shape(i) {
        case "square": abs(u) < 7 && abs(v) < 7
        case "circle": u * u + v * v < 64
        case "stripe": abs(v) < 3
        default: abs(u) < 3 || abs(v) < 3
        }
      return isInk ? colour(i).rgb : [paper, paper, paper]
    }
  }

  private static func padded(_ i: Int) -> String {
    String(repeating: "0", count: 6 - String(i).count) + String(i)
  }

  /// Settings that train in seconds.
  ///
  /// - Parameters:
  ///   - minimumSteps: of a member, which learns to tell something; a test that needs more asks for it.
  ///   - dictionary: with a member of the kind that judges by default, before the others, so that it selects too.
  static func pipeline(
    epochs: Int = 2, minimumSteps: Int = 20, shardSize: Int = 40,
    dictionary: Bool = false
  ) -> String {
    let atoms = """
          - name: atoms
            image: {kind: dictionary, side: 24, patch: 6, stride: 1, atoms: 32, grid: 2, hidden: 16}
            text: {kind: bag, buckets: 256, width: 16, maxTokens: 8}
            dimension: 16

      """
    return """
      judges:
        folds: 2
        epochs: \(epochs)
        minimumSteps: \(minimumSteps)
        batchSize: 32
        bankSize: 24
        members:
      \(dictionary ? atoms : "")    - name: bag
            image: {side: 16, widths: [8, 16], blocks: [0, 0]}
            text: {kind: bag, buckets: 256, width: 16, depth: 1, heads: 2, maxTokens: 8}
            dimension: 16
          - name: words
            image: {side: 16, widths: [8, 16], blocks: [0, 0]}
            text: {kind: transformer, buckets: 256, width: 16, depth: 1, heads: 2, maxTokens: 8}
            dimension: 16
      write: {shardSize: \(shardSize)}
      """
  }

  /// Writes 200 pairs, from the 600th on, of which every caption belongs to another image.
  static func writeDrifted(to path: String) throws {
    var members: [Member] = []
    for i in 600..<800 {
      var sample = sample(i)
      sample[1].bytes = TinyCorpus.sample(i + 7 + i % 5)[1].bytes
      members += sample
    }
    try write(members, to: path)
  }
}
