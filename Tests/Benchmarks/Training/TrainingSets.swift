import BenchmarkSupport
import Encoders
import Foundation
import Layers
import Pipeline
import Shards

/// The sets that the same model is trained on.
enum TrainingSet: String, Codable, CaseIterable, Sendable {
  /// (a) Everything.
  case noisy
  /// (b) What Winnow kept.
  case kept
  /// (c) As many as Winnow kept, at random, another choice for each seed.
  case random
  /// (d) As many as Winnow kept, those of highest cosine under one member.
  case top
  /// (e) All that are really matched.
  case clean

  var letter: String {
    switch self {
    case .noisy: "a"
    case .kept: "b"
    case .random: "c"
    case .top: "d"
    case .clean: "e"
    }
  }
}

/// Writes subsets of a corpus as shards of their own, byte for byte and in corpus order.
struct SubsetWriter {
  var shards: [String]
  var shardSize = 1000

  /// The folder appears when it is whole; one that is there stays.
  func write(_ keys: Set<String>, to folder: String) throws {
    let files = FileManager.default
    guard !files.fileExists(atPath: folder) else { return }
    let partial = folder + ".partial"
    try? files.removeItem(atPath: partial)
    try files.createDirectory(atPath: partial, withIntermediateDirectories: true)
    var writer: ShardWriter?
    var count = 0
    for shard in shards {
      let reader = ShardReader(path: shard)
      while let event = reader.next() {
        guard case .sample(let sample) = event,
          keys.contains(String(decoding: sample.key, as: UTF8.self))
        else { continue }
        if count % shardSize == 0 {
          try writer?.finish()
          try writer?.sync()
          let name = String(format: "%06d.tar", count / shardSize)
          writer = try ShardWriter(path: "\(partial)/\(name)", compression: .none)
        }
        for member in sample.members { try writer?.append(member) }
        count += 1
      }
      if let message = reader.message { throw BenchError(message) }
    }
    try writer?.finish()
    try writer?.sync()
    guard count == keys.count else {
      throw BenchError("\(folder): \(keys.count) keys, but \(count) samples")
    }
    try files.moveItem(atPath: partial, toPath: folder)
  }
}

/// The keys that a finished run of `winnow clean` kept.
func keptKeys(_ run: RunDirectory) throws -> Set<String> {
  var kept: Set<String> = []
  for file in try FileManager.default.contentsOfDirectory(atPath: run.decisions).sorted() {
    let table = try DecisionTable(path: "\(run.decisions)/\(file)")
    for row in 0..<table.count where table.kept[row] {
      kept.insert(String(decoding: table.keys[row], as: UTF8.self))
    }
  }
  return kept
}

/// The `count` keys of highest cosine under the run's first kind of member, each pair by the member that held its fold
/// out. Cosines of two folds' members don't compare, so what does is the rank within the fold.
func topKeys(_ count: Int, of shards: ShardSelection, judgedBy run: RunDirectory) throws -> Set<
  String
> {
  let ensemble = try Ensemble(directory: run.ensemble)
  // A pretrained member has learnt from no fold.
  let folds = ensemble.kinds[0].pretrained == nil ? ensemble.folds : 1
  var ranked: [(place: Double, key: String)] = []
  for fold in 0..<folds {
    let encoded = try EncodedPairs(
      shards, with: ensemble.member(kind: 0, fold: fold).encoder,
      configuration: RunConfiguration(), workers: processors)
    let mine = encoded.hashes.indices.filter { encoded.hashes[$0].fold(of: folds) == fold }
    let cosines = mine.map { i in
      let row = (i * encoded.dimension)..<((i + 1) * encoded.dimension)
      return row.reduce(Float(0)) { $0 + encoded.images[$1] * encoded.texts[$1] }
    }
    for (rank, i) in mine.indices.sorted(by: { cosines[$0] > cosines[$1] }).enumerated() {
      let key = String(decoding: encoded.keys[mine[i]], as: UTF8.self)
      ranked.append(((Double(rank) + 0.5) / Double(mine.count), key))
    }
  }
  return Set(ranked.sorted { $0 < $1 }.prefix(count).map(\.key))
}

/// `count` of the keys, drawn with a seed.
func randomKeys(_ count: Int, of keys: [String], seed: UInt64) -> Set<String> {
  var keys = keys
  var random = SeededRandom(seed: seed)
  random.shuffle(&keys)
  return Set(keys.prefix(count))
}
