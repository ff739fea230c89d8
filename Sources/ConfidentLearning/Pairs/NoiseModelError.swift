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
      "all pairs are in part \(part) of the cross-fitting: spread the parts by a hash of the content"
    case .notAFraction(let cut, let value):
      "\(cut) \(value) is not between 0 and 1"
    }
  }
}
