import Foundation
import Shards

/// What a sample's json says; nothing in it depends on the caption.
private struct SampleRecord: Encodable {
  var uid: String
  var source: String
  var category: String
  var path: String
}

/// Writes a corpus as plain WebDataset shards: `KEY.png`, `KEY.txt` and `KEY.json` a sample.
struct CorpusFolder {
  var folder: URL
  /// Samples a shard; the last one may be short.
  var shardSize: Int

  /// - Parameter captions: one for each of `pairs`.
  /// - Returns: the number of shards.
  func write(_ pairs: [SourcePair], captions: [String]) throws -> Int {
    precondition(pairs.count == captions.count, "\(pairs.count) pairs, \(captions.count) captions")
    let starts = Array(stride(from: 0, to: pairs.count, by: shardSize))
    for (index, start) in starts.enumerated() {
      let path = folder.appendingPathComponent("\(padded(index, to: 6)).tar").path
      let writer = try ShardWriter(path: path, compression: .none)
      for position in start..<min(start + shardSize, pairs.count) {
        for member in try members(of: pairs[position], caption: captions[position], at: position) {
          try writer.append(member)
        }
      }
      try writer.finish()
    }
    return starts.count
  }

  private func members(of pair: SourcePair, caption: String, at position: Int) throws -> [Member] {
    let image: [UInt8]
    do {
      image = [UInt8](try Data(contentsOf: pair.image))
    } catch {
      throw BuildError.unreadable(path: pair.image.path, reason: error.localizedDescription)
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let record = SampleRecord(
      uid: sampleUID(identity: pair.identity, image: image), source: pair.source,
      category: pair.category, path: pair.path)
    let key = sampleKey(at: position)
    return [
      Member(name: Array("\(key).png".utf8), bytes: image),
      Member(name: Array("\(key).txt".utf8), bytes: Array(caption.utf8)),
      Member(name: Array("\(key).json".utf8), bytes: [UInt8](try encoder.encode(record))),
    ]
  }

  /// Writes `truth.tsv` beside the shards: key, swapped (0 or 1), kind.
  func writeTruth(_ kinds: [SwapKind]) throws {
    var table = "key\tswapped\tkind\n"
    for (position, kind) in kinds.enumerated() {
      table += "\(sampleKey(at: position))\t\(kind == .none ? 0 : 1)\t\(kind.rawValue)\n"
    }
    try Data(table.utf8).write(to: folder.appendingPathComponent("truth.tsv"))
  }
}

/// The key of the pair at `position` of the corpus: nine digits.
func sampleKey(at position: Int) -> String { padded(position, to: 9) }

private func padded(_ number: Int, to width: Int) -> String {
  let digits = String(number)
  return String(repeating: "0", count: max(0, width - digits.count)) + digits
}
