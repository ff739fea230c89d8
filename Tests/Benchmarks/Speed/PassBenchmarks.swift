import Foundation
import Images
import Layers
import Shards
import TensorFiles
import Training

@testable import Encoders
@testable import Pipeline

/// Shards to embeddings: read, decode, resize, encode, a shard a thread at a time.
final class DecodeAndEncodeBenchmark: Benchmark {
  private(set) var items = 0
  private let encoder: DualEncoder
  private let shards: [String]
  private var rows: [[Float]] = []
  /// Images decoded before they are encoded.
  private static let batch = 64

  init(_ image: ImageConfiguration, dimension: Int, shards: [String]) {
    let member = MemberConfiguration(
      name: "bench", image: image, text: TextConfiguration(buckets: 1), dimension: dimension)
    encoder = DualEncoder(member, seed: 1)
    self.shards = shards
  }

  func exports() -> [NamedTensor] { encoder.weights }

  func run() throws {
    let shared = Shared(value: encoder)
    let image = encoder.configuration.image
    rows = try parallelMap(
      shards.count, workers: threads, state: PairEncoder(shared.value)
    ) { [shards] encoder, shard in
      let reader = PairReader(path: shards[shard], configuration: ReadConfiguration())
      let decoder = ThumbnailConfiguration().decoder
      var (rows, waiting): ([Float], [[UInt8]]) = ([], [])
      func encode() {
        rows += encoder.images(count: waiting.count) { waiting[$0] }
        waiting.removeAll(keepingCapacity: true)
      }
      while let pair = reader.next() {
        guard case .pair(let bytes, _, _) = pair.outcome else { continue }
        waiting.append(try decoder.thumbnails(of: bytes, forms: [image.thumbnail])[0].pixels)
        if waiting.count == Self.batch { encode() }
      }
      encode()
      return rows
    }
    items = rows.reduce(0) { $0 + $1.count } / encoder.configuration.dimension
  }

  var output: [NamedTensor] {
    let dimension = encoder.configuration.dimension
    return [NamedTensor(name: "y", shape: [items, dimension], values: rows.flatMap { $0 })]
  }
}

/// The scoring pass of the default ensemble: read, decode, encode, score, as the stage "score" does it. Weights are as
/// drawn; they cost what trained ones do.
final class ScoringBenchmark: Benchmark {
  private(set) var items = 0
  private let shards: [String]
  private let ensemble: Ensemble
  private var scores: [[PairScores]] = []
  private static let batch = 192

  init(shards: [String]) throws {
    self.shards = shards
    let configuration = TrainingConfiguration()
    let decoder = ThumbnailConfiguration().decoder
    let kinds = configuration.members
    let forms = kinds.thumbnailForms
    var (bank, thumbnails): ([BankPair], [[[UInt8]]]) = ([], [])
    for shard in shards where bank.count < configuration.bankSize {
      let reader = PairReader(path: shard, configuration: ReadConfiguration())
      while bank.count < configuration.bankSize, let pair = reader.next() {
        guard case .pair(let bytes, let caption, let hash) = pair.outcome else { continue }
        bank.append(BankPair(hash: hash, caption: caption))
        thumbnails.append(try decoder.thumbnails(of: bytes, forms: forms).map(\.pixels))
      }
    }
    var random = SeededRandom(seed: 1)
    let members = kinds.indices.flatMap { kind in
      let form = forms.firstIndex(of: kinds[kind].image.thumbnail) ?? 0
      // The members of all folds share the stem of a dictionary.
      let stem = kinds[kind].image.stem.map { DictionaryStem($0, &random).tensors }
      return (0..<configuration.folds).map { fold in
        Ensemble.Member(
          DualEncoder(kinds[kind], seed: UInt64(kind * 100 + fold), stem: stem), kind: kind,
          fold: fold,
          bank: bank
        ) { thumbnails[$0][form] }
      }
    }
    let clusters = sphericalClusters(
      members[0].bankTexts, dimension: kinds[0].dimension, clusters: max(2, bank.count / 20),
      seed: 0)
    let made = Ensemble(
      kinds: kinds, folds: configuration.folds, bank: bank, members: members,
      clusterCentres: clusters.centres, bankClusters: clusters.assignment)
    // As a run has it: weights are read where they lie in files.
    let folder = NSTemporaryDirectory() + "winnow-bench-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try made.write(to: folder)
    ensemble = try Ensemble(directory: folder)
  }

  func exports() -> [NamedTensor] { [] }

  func run() throws {
    let judges = ensemble
    scores = try parallelMap(
      shards.count, workers: threads, state: Judge(judges, explains: true)
    ) { [shards] judge, shard in
      let reader = PairReader(path: shards[shard], configuration: ReadConfiguration())
      let decoder = ThumbnailConfiguration().decoder
      var (scores, waiting): ([PairScores], [JudgedPair]) = ([], [])
      while let pair = reader.next() {
        guard case .pair(let bytes, let caption, let hash) = pair.outcome else { continue }
        let thumbnails = try decoder.thumbnails(of: bytes, forms: judges.forms)
        waiting.append(
          JudgedPair(hash: hash, thumbnails: thumbnails.map(\.pixels), caption: caption))
        if waiting.count == Self.batch {
          scores += judge.score(waiting)
          waiting.removeAll(keepingCapacity: true)
        }
      }
      return scores + judge.score(waiting)
    }
    items = scores.reduce(0) { $0 + $1.count }
  }
}
