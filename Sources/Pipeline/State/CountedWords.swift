import Foundation
import TensorFiles
import Text

/// The words of texts and how often each occurs, in a file, with how far the texts have been read: what a vocabulary is
/// learnt from.
enum CountedWords {
  static func write(
    _ trainer: BytePairTrainer, _ progress: TextPass.Progress, to path: String
  ) throws {
    let words = trainer.words
    let json = try StateJSON.encode(progress)
    try NPZ.write(
      [
        NPZColumns.formatVersion,
        ("word", .uint8(words.flatMap(\.bytes), shape: [words.reduce(0) { $0 + $1.bytes.count }])),
        ("length", .int64(words.map { Int64($0.bytes.count) }, shape: [words.count])),
        ("count", .int64(words.map { Int64($0.count) }, shape: [words.count])),
        ("progress", .uint8([UInt8](json), shape: [json.count])),
      ], to: path)
  }

  /// - Throws: `RunError.file`, `.damagedState`, `.otherFormat`.
  static func read(
    _ path: String
  ) throws(RunError) -> (trainer: BytePairTrainer, progress: TextPass.Progress) {
    let columns = try NPZColumns(path: path)
    let bytes = try columns.octets("word")
    let (lengths, counts) = (try columns.integers("length"), try columns.integers("count"))
    var (words, start) = ([(bytes: ArraySlice<UInt8>, count: Int)](), 0)
    for (length, count) in zip(lengths, counts) {
      guard length >= 0, length <= bytes.count - start, count > 0 else { break }
      words.append((bytes[start..<(start + Int(length))], Int(count)))
      start += Int(length)
    }
    guard words.count == lengths.count, words.count == counts.count, start == bytes.count else {
      throw .damagedState(file: path, detail: "its columns don't fit each other")
    }
    let json = Data(try columns.octets("progress"))
    guard let progress = try? StateJSON.lineDecoder.decode(TextPass.Progress.self, from: json)
    else { throw .damagedState(file: path, detail: "it doesn't say how far the texts were read") }
    return (BytePairTrainer(words: words), progress)
  }
}
