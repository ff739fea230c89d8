import Layers
import Text
import VectorMath

/// Random changes that keep a pair's meaning, drawn anew each time a pair is seen.
public struct Augmentation: Sendable, Codable, Equatable {
  /// A random square crop has at least this share of the side.
  public var smallestCrop: Float = 0.75
  /// How likely an image is mirrored left to right.
  public var mirror: Float = 0.5
  /// Contrast and channel gains are drawn from 1 - x ... 1 + x.
  public var colour: Float = 0.2
  /// How likely a word of the caption is left out.
  public var wordDropout: Float = 0.3

  public init() {}

  /// A crop of `pixels` (RGB, `side * side * 3`), resampled bilinearly to the same side, in -1...1.
  func image(
    _ pixels: UnsafeBufferPointer<UInt8>, side: Int, into target: UnsafeMutablePointer<Float>,
    _ random: inout SeededRandom
  ) {
    let width = Float(side) * random.uniform(smallestCrop...1)
    let height = min(Float(side), width * random.uniform(0.9...1.1))
    let left = random.uniform() * (Float(side) - width)
    let top = random.uniform() * (Float(side) - height)
    let mirrored = random.uniform() < mirror
    let contrast = random.uniform((1 - colour)...(1 + colour)) / 127.5
    withUnsafeTemporaryAllocation(of: Float.self, capacity: 3 + vm_crop_scratch(side)) { floats in
      guard let gains = floats.baseAddress else { return }
      for c in 0..<3 { gains[c] = random.uniform((1 - colour / 2)...(1 + colour / 2)) * contrast }
      vm_crop(
        pixels.baseAddress, side, left, top, width, height, mirrored, gains, target, gains + 3)
    }
  }

  /// The caption with some words left out, never all.
  ///
  /// - Parameter framed: the first and the last token are a frame, and stay.
  func caption(
    _ tokens: CaptionTokens, framed: Bool = false, _ random: inout SeededRandom
  ) -> CaptionTokens {
    let frame = framed ? 1 : 0
    guard wordDropout > 0, tokens.count > 1 + 2 * frame else { return tokens }
    let inner = frame..<(tokens.count - frame)
    let kept = inner.filter { _ in random.uniform() >= wordDropout }
    if kept.isEmpty { return tokens }
    var result = CaptionTokens(ids: [], ends: [])
    for index in 0..<tokens.count where !inner.contains(index) || kept.contains(index) {
      result.ids += tokens.token(index)
      result.ends.append(Int32(result.ids.count))
    }
    return result
  }
}
