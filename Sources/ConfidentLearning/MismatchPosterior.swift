import Foundation

/// P(mismatched | score) of an observed pair, strictly decreasing in the score.
///
/// With noise rate r, Bayes' rule gives r * f_mismatch(s) / f_observed(s) = r * (1 - p) / p, cut
/// off at 1, where p is the isotonic calibration, hence non-increasing. Two things are added.
///
/// - The prior in front is not r itself but solved for, so that the mean over the observed pairs is
///   r in spite of the cut-off and of what p smooths away.
/// - Flat stretches (blocks of the isotonic fit, the cut-off) get a slope: up to 2 % relative and
///   0.1 % absolute. So ranking by it equals ranking by score: its values as Float differ wherever
///   scores are a bin (1/64) apart, and mostly at much smaller distances.
public struct MismatchPosterior: Sendable, Equatable, Codable {
  static let relativeSlope = 0.02
  static let absoluteSlope = 1e-3
  /// Beyond this prior every pair is a mismatch, as (1 - p) / p is never below half of `floor`.
  private static let largestPrior = 2 / IsotonicCalibration.floor

  /// The prior odds factor in front of (1 - p) / p.
  public let prior: Double

  /// Solves for the prior at which the mean over `observed` is `noiseRate`; where none does (a rate
  /// within the slopes of 0 or 1), the nearest.
  init(noiseRate: Double, calibration: IsotonicCalibration, observed: ScoreHistogram) {
    var low = 0.0
    var high = Self.largestPrior
    for _ in 0..<100 {
      let middle = (low + high) / 2
      let candidate = MismatchPosterior(prior: middle)
      if candidate.mean(over: observed, calibration: calibration) < noiseRate {
        low = middle
      } else {
        high = middle
      }
    }
    prior = (low + high) / 2
  }

  private init(prior: Double) { self.prior = prior }

  func callAsFunction(_ score: Double, calibration: IsotonicCalibration) -> Double {
    value(score, matchProbability: calibration(score))
  }

  private func value(_ score: Double, matchProbability p: Double) -> Double {
    let posterior = min(1, prior * (1 - p) / p)
    let rising = 1 / (1 + exp(-score / 4))
    return (1 - Self.absoluteSlope) * posterior * (1 - Self.relativeSlope * rising)
      + Self.absoluteSlope * (1 - rising)
  }

  private func mean(over observed: ScoreHistogram, calibration: IsotonicCalibration) -> Double {
    var sum = 0.0
    for (bin, count) in observed.counts.enumerated() where count > 0 {
      let score = ScoreHistogram.centre(bin)
      sum += Double(count) * value(score, matchProbability: calibration(score))
    }
    return sum / Double(observed.count)
  }
}
