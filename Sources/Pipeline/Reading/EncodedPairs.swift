import Encoders
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
  public var leftOut: [String: Int] = [:]
  /// Shards that couldn't be read to their end: path and what happened.
  public var faults: [(path: String, message: String)] = []

  /// Pairs decoded before they are encoded; bounds the memory.
  private static let batch = 256

  /// Reads, decodes and encodes; shards in parallel.
  /// - Throws: `RunError.cancelled`.
  public init(
    _ shards: ShardSelection, with encoder: FrozenEncoder, configuration: RunConfiguration,
    workers: Int, cancellation: Cancellation = Cancellation()
  ) throws {
    let dimension = encoder.configuration.dimension
    let parts = try parallelMap(
      shards.paths.count, workers: workers, state: PairEncoder(encoder)
    ) { pairEncoder, i in
      var part = EncodedPairs(dimension: dimension)
      let path = shards.paths[i]
      var reader = ThumbnailReader(
        PairReader(path: path, configuration: configuration.read),
        for: encoder.configuration.image, configuration)
      while case let pairs = try reader.next(Self.batch, cancellation), !pairs.isEmpty {
        part.keys += pairs.map(\.key)
        part.hashes += pairs.map(\.hash)
        part.captions += pairs.map(\.caption)
        part.images += pairEncoder.images(count: pairs.count) { pairs[$0].thumbnail }
        part.texts += pairEncoder.texts(pairs.map(\.caption))
      }
      part.leftOut = reader.leftOut
      if let fault = reader.pairs.fault {
        part.faults = [(path, reader.pairs.message ?? fault.rawValue)]
      }
      return part
    }
    self.init(dimension: dimension)
    for part in parts { add(part) }
  }

  private init(dimension: Int) { self.dimension = dimension }

  private mutating func add(_ other: EncodedPairs) {
    keys += other.keys
    hashes += other.hashes
    captions += other.captions
    images += other.images
    texts += other.texts
    leftOut.merge(other.leftOut, uniquingKeysWith: +)
    faults += other.faults
  }
}

extension FrozenEncoder {
  /// Encodes texts, in pieces of fixed size that threads share out.
  /// - Returns: unit rows `[texts.count, dimension]`
  public func encode(texts: [String], workers: Int) throws -> [Float] {
    let piece = 512
    return try parallelMap(
      (texts.count + piece - 1) / piece, workers: workers, state: PairEncoder(self)
    ) { encoder, i in
      encoder.texts(Array(texts[(i * piece)..<min(texts.count, (i + 1) * piece)]))
    }.flatMap { $0 }
  }
}
