import Layers
import Text

/// Encodes any number of thumbnails and captions, batch by batch. What a pair gets does not depend, beyond float
/// rounding, on what came with it. One thread only; several share one
/// ``FrozenEncoder``.
public final class PairEncoder {
  private let encoder: DualEncoder
  private let context: Context
  /// Enough rows for the products to run at full speed, few enough to stay in cache; of images that are one row each, a
  /// multiple of the positions that a tile of a convolution's products spans.
  private let imageBatch: Int
  private static let rowsOfBatch = 2048
  private static let textBatch = 64

  public convenience init(_ frozen: FrozenEncoder) { self.init(frozen, pool: BufferPool()) }

  /// - Parameter pool: may serve several encoders of one thread, which encode one after another: the buffers are as
  ///   large as what an encoder makes of a batch, so that those of forty would be most of a run's memory.
  init(_ frozen: FrozenEncoder, pool: BufferPool) {
    context = Context(training: false, pool: pool, prepared: frozen.prepared)
    encoder = frozen.encoder
    imageBatch = max(4, min(48, Self.rowsOfBatch / encoder.configuration.image.rows))
  }

  /// - Parameter encoder: with its final weights.
  public convenience init(_ encoder: DualEncoder) { self.init(FrozenEncoder(encoder)) }

  /// The inverse temperature that pairs are judged with: the learnt one, but at least `leastScale`.
  public var scale: Float { max(encoder.loss.scale, Self.leastScale) }

  /// Short training leaves the learnt temperature near its start, 1/14, where many bank terms of middling similarity
  /// outweigh the few that compete; judging is best between 1/30 and 1/60, and CLIP's own training ends at 1/100.
  static let leastScale: Float = 40

  /// Columns of the rows that `images` and `texts` give.
  public var dimension: Int { encoder.configuration.dimension }

  /// - Parameters:
  ///   - count: how many thumbnails there are.
  ///   - fill: writes thumbnail `i`, `[side, side, 3]`, normalised (``ImageConfiguration/normalise(_:into:)``).
  /// - Returns: unit rows `[count, dimension]`
  public func images(
    count: Int, fill: (Int, UnsafeMutablePointer<Float>) throws -> Void
  ) rethrows -> [Float] {
    let form = encoder.configuration.image.thumbnail
    return try rows(count: count, batch: imageBatch, columns: dimension) { range in
      let x = context.pool.tensor([range.count, form.side, form.side, 3])
      for (row, index) in range.enumerated() { try fill(index, x.data + row * form.byteCount) }
      return encoder.encodeImages(x, context)
    }
  }

  /// - Parameter thumbnail: the RGB bytes of thumbnail `i`, `side * side * 3`.
  /// - Returns: unit rows `[count, dimension]`
  public func images(count: Int, thumbnail: (Int) -> [UInt8]) -> [Float] {
    images(count: count) { index, target in
      thumbnail(index).withUnsafeBufferPointer {
        encoder.configuration.image.normalise($0, into: target)
      }
    }
  }

  /// What a dictionary's stem makes of thumbnails, for members with an equal stem to share.
  ///
  /// - Returns: `[count, features]`
  func features(count: Int, thumbnail: (Int) -> [UInt8]) -> [Float] {
    guard let stem else {
      preconditionFailure("\(encoder.configuration.name) has no stem")
    }
    let form = encoder.configuration.image.thumbnail
    return rows(count: count, batch: imageBatch, columns: stem.count) { range in
      let x = context.pool.tensor([range.count, form.side, form.side, 3])
      for (row, index) in range.enumerated() {
        thumbnail(index).withUnsafeBufferPointer {
          encoder.configuration.image.normalise($0, into: x.data + row * form.byteCount)
        }
      }
      return stem.forward(x, context.pool)
    }
  }

  /// - Parameters:
  ///   - features: how many an image has.
  ///   - fill: writes those of image `i`.
  /// - Returns: unit rows `[count, dimension]`
  public func images(
    count: Int, features: Int, fill: (Int, UnsafeMutablePointer<Float>) throws -> Void
  ) rethrows -> [Float] {
    try rows(count: count, batch: imageBatch, columns: dimension) { range in
      let x = context.pool.tensor([range.count, features])
      for (row, index) in range.enumerated() { try fill(index, x.data + row * features) }
      return encoder.encodeImages(x, context)
    }
  }

  /// - Parameter features: of each image, `[count, features]`.
  func images(_ features: [Float], count: Int) -> [Float] {
    let columns = features.count / max(1, count)
    return images(count: count, features: columns) { row, target in
      for i in 0..<columns { target[i] = features[row * columns + i] }
    }
  }

  /// Of a dictionary.
  var stem: DictionaryStem? { encoder.dictionary }

  /// - Returns: unit rows `[captions.count, dimension]`
  public func texts(_ captions: [String]) -> [Float] {
    rows(count: captions.count, batch: Self.textBatch, columns: dimension) { range in
      encoder.encodeTexts(range.map { encoder.tokenizer.tokens(of: captions[$0]) }, context)
    }
  }

  private func rows(
    count: Int, batch: Int, columns: Int, _ encode: (Range<Int>) throws -> Tensor
  ) rethrows -> [Float] {
    var result: [Float] = []
    result.reserveCapacity(count * columns)
    for start in stride(from: 0, to: count, by: batch) {
      let range = start..<min(start + batch, count)
      let y = try encode(range)
      result += UnsafeBufferPointer(start: y.data, count: range.count * columns)
    }
    return result
  }
}
