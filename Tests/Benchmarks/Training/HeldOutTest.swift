import BenchmarkSupport
import Encoders
import Images
import Layers
import Pipeline
import Reports
import Shards

/// Evaluates models on the held-out pairs, whose thumbnails are decoded once.
final class HeldOutTest {
  /// Classes of fewer texts aren't asked for.
  static let smallestClass = 10

  private let images: [[UInt8]]
  private let pairs: [SamplePair]
  private var thumbnails: [ThumbnailForm: [[UInt8]]] = [:]

  /// - Parameter folder: shards of exactly these pairs.
  init(_ folder: String, pairs: [SamplePair]) throws {
    let byKey = Dictionary(uniqueKeysWithValues: pairs.map { ($0.key, $0) })
    var images: [[UInt8]] = []
    var inOrder: [SamplePair] = []
    for shard in try ShardSelection([folder]).paths {
      let reader = ShardReader(path: shard)
      while case .sample(let sample)? = reader.next() {
        guard let pair = byKey[String(decoding: sample.key, as: UTF8.self)],
          let image = sample.member(suffixes: ["png"])
        else { throw BenchError("\(shard) isn't of this benchmark: delete it") }
        images.append(image.bytes)
        inOrder.append(pair)
      }
    }
    guard inOrder.count == pairs.count else {
      throw BenchError("\(folder) holds other pairs than these: delete it")
    }
    (self.images, self.pairs) = (images, inOrder)
  }

  /// Retrieval in both directions.
  func retrieval(_ model: FrozenEncoder) throws -> RetrievalPoint {
    let thumbnails = try decoded(model.configuration.image.thumbnail)
    let piece = 64
    let v = try parallelMap(
      (thumbnails.count + piece - 1) / piece, workers: processors, state: PairEncoder(model)
    ) { encoder, i in
      let range = (i * piece)..<min(thumbnails.count, (i + 1) * piece)
      return encoder.images(count: range.count) { thumbnails[range.lowerBound + $0] }
    }.flatMap { $0 }
    let t = try texts(model)
    let relation = RetrievalPairs(pairs.map(\.hash.image), pairs.map(\.caption))
    let (there, back) = try relation.figures(
      Embeddings(rows: pairs.count, columns: model.configuration.dimension, values: v), t,
      workers: processors)
    return RetrievalPoint(imageToText: there, textToImage: back)
  }

  /// The category from the caption's embedding.
  func classification(_ model: FrozenEncoder) throws -> TextClassification {
    let counts = Dictionary(grouping: pairs) { $0.category }.mapValues(\.count)
    let rows = pairs.indices.filter { counts[pairs[$0].category, default: 0] >= Self.smallestClass }
    var options = TextClassification.Options()
    options.workers = processors
    return try TextClassification(
      try texts(model).taking(rows), labels: rows.map { pairs[$0].category },
      groups: Array(rows.indices), options: options)
  }

  private func texts(_ model: FrozenEncoder) throws -> Embeddings {
    Embeddings(
      rows: pairs.count, columns: model.configuration.dimension,
      values: try model.encode(texts: pairs.map(\.caption), workers: processors))
  }

  private func decoded(_ form: ThumbnailForm) throws -> [[UInt8]] {
    if let known = thumbnails[form] { return known }
    let images = images
    let made = try parallelMap(images.count, workers: processors) { i in
      try ImageDecoder().thumbnails(of: images[i], forms: [form])[0].pixels
    }
    thumbnails[form] = made
    return made
  }
}

/// Retrieval in both directions.
struct RetrievalPoint: Codable, Sendable, Equatable {
  var imageToText: RetrievalFigures
  var textToImage: RetrievalFigures

  enum CodingKeys: String, CodingKey {
    case imageToText = "image_to_text"
    case textToImage = "text_to_image"
  }

  /// The mean of R@1, R@5 and R@10 in both directions.
  var meanRecall: Double {
    [imageToText, textToImage].reduce(0) { $0 + $1.recallAt1 + $1.recallAt5 + $1.recallAt10 } / 6
  }
}
