import Foundation

/// The share of mismatches by a mixture fit: observed = a * random + b * cluster + (1 - a - b) *
/// match, where the first two densities are those of the re-paired scores and matches are Gaussian.
///
/// A third opinion beside the confident joint and Storey's tail ratio, and no part of the fit. It
/// alone tells random from hard mismatches, at the price of believing in the matches' shape: on
/// Gaussian matches it is unbiased, on matches with a long lower tail it counts that tail as noise
/// (+0.13 on a gamma of shape 6).
public struct MixtureNoiseRate: Sendable, Equatable {
  /// The share of mismatches among the observed that score as random re-pairings do.
  public let random: Double
  /// The share of mismatches among the observed that score as cluster re-pairings do.
  public let cluster: Double
  /// `random + cluster`
  public var total: Double { random + cluster }

  /// Bins of the grid that the fit takes as one.
  private static let pooledBins = 16
  private static let iterationLimit = 20_000

  /// Fits by expectation-maximisation from a low and a high start, and keeps the likelier. Without
  /// observed or re-paired pairs both shares are 0.
  public init(_ statistics: PairStatistics) {
    let observed = Self.pooled(statistics.parts.map(\.observed))
    let known = [
      Self.pooled(statistics.parts.map(\.randomRepaired)),
      Self.pooled(statistics.parts.map(\.clusterRepaired)),
    ]
    guard statistics.pairs > 0 else {
      random = 0
      cluster = 0
      return
    }
    let fits = [0.02, 0.4].map { Self.fit(observed, known, start: $0) }
    let best = fits[0].likelihood >= fits[1].likelihood ? fits[0] : fits[1]
    random = best.shares[0]
    cluster = best.shares[1]
  }

  /// Densities per pooled bin, summing to 1.
  private static func pooled(_ histograms: [ScoreHistogram]) -> [Double] {
    let total = Double(histograms.reduce(0) { $0 + $1.count })
    return stride(from: 0, to: ScoreHistogram.binCount, by: pooledBins).map { start in
      let held = histograms.reduce(0) { $0 + $1.counts[start..<start + pooledBins].reduce(0, +) }
      return total > 0 ? Double(held) / total : 0
    }
  }

  private static func fit(
    _ observed: [Double], _ known: [[Double]], start: Double
  ) -> (shares: [Double], likelihood: Double) {
    let width = ScoreHistogram.binWidth * Double(pooledBins)
    let centres = observed.indices.map {
      ScoreHistogram.range.lowerBound + width * (Double($0) + 0.5)
    }
    var shares = [start / 2, start / 2]
    var mean = zip(observed, centres).reduce(0) { $0 + $1.0 * $1.1 } + 0.5
    var deviation = 1.0
    var likelihood = -Double.infinity
    for _ in 0..<iterationLimit {
      var next = [0.0, 0.0]
      var moments = (weight: 0.0, first: 0.0, second: 0.0)
      var nextLikelihood = 0.0
      let scale = (1 - shares[0] - shares[1]) * width / (deviation * (2 * Double.pi).squareRoot())
      for bin in observed.indices where observed[bin] > 0 {
        let z = (centres[bin] - mean) / deviation
        let match = scale * exp(-z * z / 2)
        let first = shares[0] * known[0][bin]
        let second = shares[1] * known[1][bin]
        // A score that no component explains counts as a match.
        let total = first + second + max(match, 1e-300)
        next[0] += observed[bin] * first / total
        next[1] += observed[bin] * second / total
        let weight = observed[bin] * (total - first - second) / total
        moments.weight += weight
        moments.first += weight * centres[bin]
        moments.second += weight * centres[bin] * centres[bin]
        nextLikelihood += observed[bin] * log(total)
      }
      shares = next
      let converged = nextLikelihood - likelihood < 1e-12
      likelihood = nextLikelihood
      if converged || moments.weight < 1e-9 { break }
      mean = moments.first / moments.weight
      let variance = moments.second / moments.weight - mean * mean
      deviation = max(variance, width * width / 4).squareRoot()
    }
    return (shares, likelihood)
  }
}
