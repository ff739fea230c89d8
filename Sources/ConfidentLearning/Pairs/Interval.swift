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
