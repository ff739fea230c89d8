/// p(s) = P(label = match | score s), non-decreasing in s, both labels carrying the same total
/// weight.
///
/// Fitted by the pool-adjacent-violators algorithm over the bins of two histograms; between the
/// blocks' centres of mass it is interpolated linearly, outside it is constant. (Zadrozny & Elkan,
/// KDD 2002.)
public struct IsotonicCalibration: Sendable, Equatable, Codable {
  /// No probability is nearer to 0 or 1: finite data proves nothing.
  public static let floor = 1e-4

  /// Knots: ascending scores, and P(match | score) at each, strictly ascending before the clamp.
  public let scores: [Double]
  public let probabilities: [Double]

  /// Fits p to observed (match) and re-paired (mismatch) scores, neither of which may be empty.
  init(match: ScoreHistogram, mismatch: ScoreHistogram) {
    precondition(match.count > 0 && mismatch.count > 0, "a label without pairs")
    var points: [WeightedPoint] = []
    for bin in 0..<ScoreHistogram.binCount {
      let matchWeight = Double(match.counts[bin]) / Double(match.count)
      let mismatchWeight = Double(mismatch.counts[bin]) / Double(mismatch.count)
      let weight = matchWeight + mismatchWeight
      if weight > 0 {
        points.append(
          WeightedPoint(x: ScoreHistogram.centre(bin), y: matchWeight / weight, weight: weight))
      }
    }
    let blocks = poolAdjacentViolators(points)
    scores = blocks.map(\.x)
    probabilities = blocks.map { min(max($0.y, Self.floor), 1 - Self.floor) }
  }

  enum CodingKeys: String, CodingKey { case scores, probabilities }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    scores = try values.decode([Double].self, forKey: .scores)
    probabilities = try values.decode([Double].self, forKey: .probabilities)
    guard !scores.isEmpty, scores.count == probabilities.count,
      zip(scores, scores.dropFirst()).allSatisfy({ $0 < $1 }),
      zip(probabilities, probabilities.dropFirst()).allSatisfy({ $0 <= $1 }),
      probabilities.allSatisfy({ (Self.floor...1 - Self.floor).contains($0) })
    else {
      throw DecodingError.dataCorruptedError(
        forKey: .scores, in: values,
        debugDescription: "the knots of a calibration must ascend, one probability to a score")
    }
  }

  /// P(match | `score`), in `floor ... 1 - floor`.
  public func callAsFunction(_ score: Double) -> Double {
    var low = 0
    var high = scores.count
    while low < high {
      let middle = (low + high) / 2
      if scores[middle] <= score { low = middle + 1 } else { high = middle }
    }
    if low == 0 { return probabilities[0] }
    if low == scores.count { return probabilities[low - 1] }
    let fraction = (score - scores[low - 1]) / (scores[low] - scores[low - 1])
    return probabilities[low - 1] + fraction * (probabilities[low] - probabilities[low - 1])
  }
}

/// A value `y` at `x` with a weight; a block of pooled points is one too, at its centre of mass.
struct WeightedPoint: Equatable {
  var x: Double
  var y: Double
  var weight: Double

  mutating func pool(_ other: WeightedPoint) {
    let total = weight + other.weight
    x = (x * weight + other.x * other.weight) / total
    y = (y * weight + other.y * other.weight) / total
    weight = total
  }
}

/// The weighted least-squares fit of a non-decreasing step function to `points` (ascending `x`), as
/// blocks of strictly increasing `y`. One pass, linear time.
func poolAdjacentViolators(_ points: [WeightedPoint]) -> [WeightedPoint] {
  var blocks: [WeightedPoint] = []
  for point in points {
    var block = point
    while let previous = blocks.last, previous.y >= block.y {
      blocks.removeLast()
      var pooled = previous
      pooled.pool(block)
      block = pooled
    }
    blocks.append(block)
  }
  return blocks
}
