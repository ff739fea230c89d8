import BenchmarkSupport
import Encoders
import Foundation
import Images
import Layers
import Shards

/// A pair of the swapped sample corpus, and what is known of it.
struct SamplePair: Sendable {
  var key: String
  var hash: ContentHash
  var caption: String
  /// Its source folder's first component; stamps and drawings share theirs.
  var category: String
  var isSwapped: Bool
  /// The image at 16 x 16, less its mean, of length 1: correlations are dot products. Zeros for one colour all over.
  var signature: [Float]

  /// The caption's letters: captions that differ in digits, case or punctuation only are nearly the same.
  var plainCaption: String {
    caption.lowercased().split { !$0.isLetter }.joined(separator: " ")
  }
}

/// The swapped sample corpus: shards of `KEY.png`, `KEY.txt`, `KEY.json`, and `truth.tsv`.
struct SampleCorpus: Sendable {
  static let signatureSide = 16

  /// Those whose image decodes, in shard order.
  var pairs: [SamplePair]
  /// Paths, in order.
  var shards: [String]

  /// - Throws: `BenchError` for what is no such corpus.
  init(_ folder: String) throws {
    shards = try FileManager.default.contentsOfDirectory(atPath: folder)
      .filter { $0.hasSuffix(".tar") }.sorted().map { "\(folder)/\($0)" }
    let swapped = try Self.truth("\(folder)/truth.tsv")
    let paths = shards
    pairs = try parallelMap(shards.count, workers: processors) { shard in
      let reader = ShardReader(path: paths[shard])
      var pairs: [SamplePair] = []
      while let event = reader.next() {
        guard case .sample(let sample) = event else { continue }
        if let pair = try Self.pair(sample, swapped) { pairs.append(pair) }
      }
      if let message = reader.message { throw BenchError(message) }
      return pairs
    }.flatMap { $0 }
    guard !pairs.isEmpty else {
      throw BenchError("\(folder) holds no pairs: make samples SWAP=0.3")
    }
  }

  private static func pair(_ sample: Sample, _ swapped: [String: Bool]) throws -> SamplePair? {
    struct Record: Decodable { var category: String }
    let key = String(decoding: sample.key, as: UTF8.self)
    guard let image = sample.member(suffixes: ["png"]), let text = sample.member(suffixes: ["txt"]),
      let json = sample.member(suffixes: ["json"]), let isSwapped = swapped[key]
    else { throw BenchError("sample \(key) isn't as build-samples writes it") }
    // Too large ones: no model sees them.
    guard
      let thumbnail = try? ImageDecoder().thumbnail(
        of: image.bytes, side: signatureSide, geometry: .squash)
    else { return nil }
    let record = try JSONDecoder().decode(Record.self, from: Data(json.bytes))
    return SamplePair(
      key: key, hash: ContentHash(image: image.bytes, caption: text.bytes),
      caption: String(decoding: text.bytes, as: UTF8.self),
      category: record.category.replacingOccurrences(of: "stamps/", with: ""),
      isSwapped: isSwapped, signature: signature(thumbnail.pixels))
  }

  private static func signature(_ pixels: [UInt8]) -> [Float] {
    let mean = pixels.reduce(Float(0)) { $0 + Float($1) } / Float(pixels.count)
    let centred = pixels.map { Float($0) - mean }
    let length = centred.reduce(0) { $0 + $1 * $1 }.squareRoot()
    return length > 0 ? centred.map { $0 / length } : centred
  }

  private static func truth(_ path: String) throws -> [String: Bool] {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
      throw BenchError("\(path) is missing: make samples SWAP=0.3")
    }
    var swapped: [String: Bool] = [:]
    for line in text.split(separator: "\n").dropFirst() {
      let fields = line.split(separator: "\t")
      if fields.count == 3 { swapped[String(fields[0])] = fields[1] == "1" }
    }
    return swapped
  }
}

let processors = ProcessInfo.processInfo.activeProcessorCount
