import Layers
import Text

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
    let gains = (0..<3).map { _ in random.uniform((1 - colour / 2)...(1 + colour / 2)) * contrast }
    let columns = taps(from: left, length: width, side: side, mirrored: mirrored)
    let rows = taps(from: top, length: height, side: side, mirrored: false)
    var out = target
    for (y0, y1, wy) in rows {
      for (x0, x1, wx) in columns {
        for c in 0..<3 {
          let a = Float(pixels[(y0 * side + x0) * 3 + c])
          let b = Float(pixels[(y0 * side + x1) * 3 + c])
          let d = Float(pixels[(y1 * side + x0) * 3 + c])
          let e = Float(pixels[(y1 * side + x1) * 3 + c])
          let upper = a + (b - a) * wx
          let lower = d + (e - d) * wx
          out[c] = (upper + (lower - upper) * wy - 127.5) * gains[c]
        }
        out += 3
      }
    }
  }

  /// For each output position the two source positions and the weight of the second.
  private func taps(
    from start: Float, length: Float, side: Int, mirrored: Bool
  ) -> [(Int, Int, Float)] {
    (0..<side).map { i in
      let position = mirrored ? side - 1 - i : i
      let at = start + (Float(position) + 0.5) * length / Float(side) - 0.5
      let low = min(max(at, 0), Float(side - 1))
      let first = Int(low)
      return (first, min(first + 1, side - 1), low - Float(first))
    }
  }

  /// The caption with some words left out, never all.
  func caption(_ tokens: CaptionTokens, _ random: inout SeededRandom) -> CaptionTokens {
    guard wordDropout > 0, tokens.count > 1 else { return tokens }
    var kept = CaptionTokens(ids: [], ends: [])
    for index in 0..<tokens.count where random.uniform() >= wordDropout {
      kept.ids += tokens.token(index)
      kept.ends.append(Int32(kept.ids.count))
    }
    return kept.count == 0 ? tokens : kept
  }
}
