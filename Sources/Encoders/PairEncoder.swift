import Layers
import Text

/// Encodes any number of thumbnails and captions in padded batches of fixed size, so that what a pair gets does not
/// depend, beyond float rounding, on what came with it. One thread only.
public final class PairEncoder {
  private let encoder: DualEncoder
  private let context = Context(training: false)
  private static let batch = 32

  /// - Parameter encoder: with its final weights; they are read at every call.
  public init(_ encoder: DualEncoder) { self.encoder = encoder }

  /// The inverse temperature that pairs are judged with: the learnt one, but at least `leastScale`.
  public var scale: Float { max(encoder.loss.scale, Self.leastScale) }

  /// Short training leaves the learnt temperature near its start, 1/14, where many bank terms of middling similarity
  /// outweigh the few that compete; judging is best between 1/30 and 1/60, and CLIP's own training ends at 1/100.
  static let leastScale: Float = 40

  /// Columns of the rows that `images` and `texts` give.
  public var dimension: Int { encoder.configuration.dimension }

  /// - Parameters:
  ///   - count: how many thumbnails there are.
  ///   - fill: writes thumbnail `i`, `[side, side, 3]` in -1...1.
  /// - Returns: unit rows `[count, dimension]`
  public func images(
    count: Int, side: Int, fill: (Int, UnsafeMutablePointer<Float>) -> Void
  ) -> [Float] {
    rows(count: count) { range in
      let x = context.pool.zeros([Self.batch, side, side, 3])
      for (row, index) in range.enumerated() { fill(index, x.data + row * side * side * 3) }
      return encoder.encodeImages(x, context)
    }
  }

  /// - Returns: unit rows `[captions.count, dimension]`
  public func texts(_ captions: [String]) -> [Float] {
    rows(count: captions.count) { range in
      var tokens = range.map { encoder.tokenizer.tokens(of: captions[$0]) }
      let padding = encoder.tokenizer.tokens(of: "")
      while tokens.count < Self.batch { tokens.append(padding) }
      return encoder.encodeTexts(tokens, context)
    }
  }

  private func rows(count: Int, _ encode: (Range<Int>) -> Tensor) -> [Float] {
    var result: [Float] = []
    result.reserveCapacity(count * dimension)
    for start in stride(from: 0, to: count, by: Self.batch) {
      let range = start..<min(start + Self.batch, count)
      let y = encode(range)
      result += UnsafeBufferPointer(start: y.data, count: range.count * dimension)
    }
    return result
  }
}
