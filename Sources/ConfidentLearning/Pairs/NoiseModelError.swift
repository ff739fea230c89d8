/// Why no noise model could be fitted.
public enum NoiseModelError: Error, Equatable, CustomStringConvertible {
  case tooFewPairs(found: Int, needed: Int)
  /// Cross-fitting needs observed pairs in at least two of its parts.
  case onePartOnly(part: Int)
  /// A cut's parameter is no fraction.
  case notAFraction(cut: String, value: Double)

  public var description: String {
    switch self {
    case .tooFewPairs(let found, let needed):
      "the noise model needs \(needed) scored pairs and has \(found): add shards to the run"
    case .onePartOnly(let part):
      "the captions of all pairs fall into part \(part) of \(PairStatistics.partCount): a corpus of one caption or "
        + "two tells nothing; add shards"
    case .notAFraction(let cut, let value):
      "\(cut) \(value) is not between 0 and 1"
    }
  }
}
