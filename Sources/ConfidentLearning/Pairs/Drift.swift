/// How far the scores of new pairs lie from those that a noise model was fitted on.
///
/// The statistic is that of Kolmogorov and Smirnov, the largest distance of the two cumulative distributions of observed
/// scores. It counts as drift where it is beyond chance (1.95 sqrt((n + m) / n m), a level of about 0.001 for independent
/// pairs) and large enough to matter, since equal captions make pairs dependent and any corpus varies a little.
public struct Drift: Sendable, Equatable, Codable {
  /// In 0...1.
  public var statistic: Double
  /// What the statistic is held against.
  public var threshold: Double
  /// The new pairs, and those of the fit.
  public var pairs: Int
  public var fittedPairs: Int
  /// New minus fitted mean score, in units of the score (each judge's re-paired scores deviate by 1): below 0 the new pairs fit
  /// worse.
  public var shift: Double

  public var isDrift: Bool { statistic > threshold }
}

extension PairStatistics {
  /// Compares these pairs, the new ones, with those of a fit.
  ///
  /// - Parameter least: the smallest statistic that matters.
  /// - Returns: nil where either has no pairs.
  public func drift(from fitted: PairStatistics, least: Double) -> Drift? {
    let (new, old) = (whole.observed, fitted.whole.observed)
    guard new.count > 0, old.count > 0 else { return nil }
    let (n, m) = (Double(new.count), Double(old.count))
    var (below, belowOld, distance) = (0.0, 0.0, 0.0)
    for bin in new.counts.indices {
      below += Double(new.counts[bin]) / n
      belowOld += Double(old.counts[bin]) / m
      distance = max(distance, abs(below - belowOld))
    }
    let chance = 1.95 * ((n + m) / (n * m)).squareRoot()
    return Drift(
      statistic: distance, threshold: max(least, chance), pairs: new.count, fittedPairs: old.count,
      shift: new.mean - old.mean)
  }
}

extension ScoreHistogram {
  /// Of a histogram that isn't empty.
  fileprivate var mean: Double {
    let sum = counts.indices.reduce(0.0) { $0 + Double(counts[$1]) * Self.centre($1) }
    return sum / Double(count)
  }
}
