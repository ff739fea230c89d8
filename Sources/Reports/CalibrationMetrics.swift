import Layers

/// How far told probabilities are from what happens.
public struct CalibrationMetrics: Codable, Sendable, Equatable {
  /// A bar of the reliability diagram: the pairs whose probability lies in one of 15 equal ranges.
  public struct Bar: Codable, Sendable, Equatable {
    public var pairs: Int
    /// Mean probability told.
    public var told: Double
    /// Share of positives.
    public var found: Double
  }

  /// The ranges that hold pairs, ascending.
  public var reliability: [Bar]
  /// Expected calibration error: the mean distance of `told` from `found` (Guo et al., ICML 2017).
  public var error: Double
  /// What it is on the average for probabilities that are right, at this number of pairs.
  public var idealError: Double

  private static let bars = 15
  private static let draws = 20

  public init(probabilities: [Float], positives: [Bool]) {
    reliability = Self.bars(probabilities, positives)
    error = Self.error(reliability)
    var random = SeededRandom(seed: 0)
    let errors = (0..<Self.draws).map { _ in
      Self.error(Self.bars(probabilities, probabilities.map { random.uniform() < $0 }))
    }
    idealError = errors.reduce(0, +) / Double(Self.draws)
  }

  private static func bars(_ probabilities: [Float], _ positives: [Bool]) -> [Bar] {
    var bars = [Bar](repeating: Bar(pairs: 0, told: 0, found: 0), count: Self.bars)
    for (probability, isPositive) in zip(probabilities, positives) {
      // A damaged table may hold any number.
      let place = Int(min(1, max(0, probability)) * Float(Self.bars))
      let bar = min(Self.bars - 1, place)
      bars[bar].pairs += 1
      bars[bar].told += Double(probability)
      bars[bar].found += isPositive ? 1 : 0
    }
    return bars.filter { $0.pairs > 0 }.map {
      Bar(
        pairs: $0.pairs, told: $0.told / Double($0.pairs), found: $0.found / Double($0.pairs))
    }
  }

  private static func error(_ bars: [Bar]) -> Double {
    let pairs = bars.reduce(0) { $0 + $1.pairs }
    let sum = bars.reduce(0) { $0 + Double($1.pairs) * abs($1.told - $1.found) }
    return pairs == 0 ? 0 : sum / Double(pairs)
  }
}
