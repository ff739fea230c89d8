import Encoders
import Foundation
import Images
import Layers

/// The embeddings of all pairs of some shards, in shard order.
public struct EncodedPairs: Sendable {
  public var keys: [[UInt8]] = []
  public var hashes: [ContentHash] = []
  public var captions: [String] = []
  public var dimension: Int
  /// Unit rows `[pairs, dimension]`
  public var images: [Float] = []
  /// Unit rows `[pairs, dimension]`
  public var texts: [Float] = []
  /// Samples that are no pair, or whose image doesn't decode, by reason.
  public var skipped: [String: Int] = [:]
  /// Shards that couldn't be read to their end: path and what happened.
  public var faults: [(path: String, message: String)] = []

  /// Reads, decodes and encodes; shards in parallel.
  /// - Throws: `RunError.cancelled`.
  public init(
    _ shards: ShardSelection, with model: TrainedEncoder, configuration: RunConfiguration,
    workers: Int, cancellation: Cancellation = Cancellation()
  ) throws {
    let parts = try parallelMap(
      shards.paths.count, workers: workers, state: model.pairEncoder()
    ) { encoder, i in
      var part = EncodedPairs(dimension: model.dimension)
      try part.add(
        shards.paths[i], encoder, model.form, configuration: configuration,
        cancellation: cancellation)
      return part
    }
    self.init(dimension: model.dimension)
    for part in parts { add(part) }
  }

  private init(dimension: Int) { self.dimension = dimension }

  private mutating func add(_ other: EncodedPairs) {
    keys += other.keys
    hashes += other.hashes
    captions += other.captions
    images += other.images
    texts += other.texts
    skipped.merge(other.skipped, uniquingKeysWith: +)
    faults += other.faults
  }

  private mutating func add(
    _ path: String, _ encoder: PairEncoder, _ form: ThumbnailForm, configuration: RunConfiguration,
    cancellation: Cancellation
  ) throws {
    let reader = PairReader(path: path, configuration: configuration.read)
    let decoder = configuration.images.decoder
    var waiting: [[UInt8]] = []
    func encode() {
      images += encoder.images(count: waiting.count) { waiting[$0] }
      waiting.removeAll(keepingCapacity: true)
    }
    while let pair = reader.next() {
      try cancellation.check()
      switch pair.outcome {
      case .pair(let image, let caption, let hash):
        do {
          waiting += try decoder.thumbnails(of: image, forms: [form]).map(\.pixels)
        } catch {
          skipped[error.reason, default: 0] += 1
          continue
        }
        keys.append(pair.key)
        hashes.append(hash)
        captions.append(caption)
        if waiting.count == 256 { encode() }
      case .rejected(let reason, _), .unreadable(let reason, _):
        skipped[reason, default: 0] += 1
      }
    }
    encode()
    texts = encoder.texts(captions)
    if let fault = reader.fault { faults = [(path, reader.message ?? fault.rawValue)] }
  }
}
