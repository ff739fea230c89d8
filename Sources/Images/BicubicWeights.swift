/// One axis of an antialiased bicubic resize: which inputs each output takes, and how much of each.
///
/// Pillow's `precompute_coeffs` and `normalize_coeffs_8bpc` (src/libImaging/Resample.c): Keys'
/// cubic with a = -0.5, stretched by the scale when shrinking, in fixed point of 22 bits.
struct BicubicWeights {
  /// Bits after the point: 8 of the pixel, 22 here and the sign with one to spare fill an Int32.
  static let precision: Int32 = 22

  /// For each output, the inputs it takes.
  let spans: [Range<Int>]
  /// `spans.count * stride` weights; output i's begin at `i * stride`.
  let weights: [Int32]
  /// The most inputs that an output takes.
  let stride: Int
  /// Whether every output is the input of the same place.
  let isIdentity: Bool

  /// - Parameters:
  ///   - input: the axis' length in pixels before.
  ///   - output: the axis' length in pixels after.
  ///   - outputs: the outputs that are wanted, within `0..<output`.
  init(from input: Int, to output: Int, outputs: Range<Int>) {
    precondition(input > 0 && output > 0, "a resize from \(input) to \(output)")
    let scale = Double(input) / Double(output)
    let stretch = max(scale, 1)
    let support = 2 * stretch
    let stride = min(Int(support.rounded(.up)) * 2 + 1, input)
    var spans: [Range<Int>] = []
    var weights = [Int32](repeating: 0, count: outputs.count * stride)
    spans.reserveCapacity(outputs.count)
    var exact = [Double](repeating: 0, count: stride)
    for (i, place) in outputs.enumerated() {
      let center = (Double(place) + 0.5) * scale
      let first = max(Int(center - support + 0.5), 0)
      let span = first..<min(Int(center + support + 0.5), input)
      var sum = 0.0
      for (k, x) in span.enumerated() {
        exact[k] = Self.cubic((Double(x) - center + 0.5) / stretch)
        sum += exact[k]
      }
      for k in 0..<span.count {
        weights[i * stride + k] = Self.fixed(exact[k] / sum)
      }
      spans.append(span)
    }
    self.spans = spans
    self.weights = weights
    self.stride = stride
    self.isIdentity = input == output && outputs == 0..<output
  }

  /// All inputs that any output takes.
  var inputs: Range<Int> {
    guard let first = spans.first, let last = spans.last else { return 0..<0 }
    return first.lowerBound..<last.upperBound
  }

  /// Keys' cubic convolution kernel, a = -0.5.
  static func cubic(_ distance: Double) -> Double {
    let a = -0.5
    let x = abs(distance)
    if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
    if x < 2 { return (((x - 5) * x + 8) * x - 4) * a }
    return 0
  }

  private static func fixed(_ weight: Double) -> Int32 {
    Int32((weight * Double(1 << precision)).rounded(.toNearestOrAwayFromZero))
  }
}
