/// The two ends of a range that an estimate lies in; written as `[low, high]`.
public struct Interval: Sendable, Equatable, Codable {
  public var low: Double
  public var high: Double

  public init(low: Double, high: Double) {
    self.low = low
    self.high = high
  }

  public init(from decoder: any Decoder) throws {
    let ends = try decoder.singleValueContainer().decode([Double].self)
    guard ends.count == 2, ends[0] <= ends[1] else {
      throw DecodingError.dataCorrupted(
        .init(codingPath: decoder.codingPath, debugDescription: "an interval is [low, high]"))
    }
    self.init(low: ends[0], high: ends[1])
  }

  public func encode(to encoder: any Encoder) throws {
    var value = encoder.singleValueContainer()
    try value.encode([low, high])
  }

  /// The middle 95 % of `samples`, widened where need be to hold `estimate`.
  init(_ samples: [Double], around estimate: Double) {
    guard !samples.isEmpty else {
      self.init(low: estimate, high: estimate)
      return
    }
    let sorted = samples.sorted()
    let cut = Int(0.025 * Double(sorted.count))
    self.init(
      low: min(sorted[cut], estimate), high: max(sorted[sorted.count - 1 - cut], estimate))
  }
}

extension PairStatistics {
  /// As many parts, drawn with replacement: the cluster bootstrap. Pairs of one caption score alike, so they are drawn
  /// together; drawn one by one, a corpus that repeats itself would look twice as sure as it is.
  func resampled(using random: inout SplitMix64) -> PairStatistics {
    var copy = self
    copy.parts = parts.indices.map { _ in parts[Int.random(in: parts.indices, using: &random)] }
    return copy
  }
}

/// A generator of its own, so that equal statistics give equal intervals (Steele, Lea & Flood, OOPSLA 2014).
struct SplitMix64: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
