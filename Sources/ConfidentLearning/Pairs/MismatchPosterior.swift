import Foundation

/// P(mismatched | score) of an observed pair, strictly decreasing in the score.
///
/// With noise rate r, Bayes' rule gives r * f_mismatch(s) / f_observed(s) = r * (1 - p) / p, cut
/// off at 1, where p is the isotonic calibration, hence non-increasing.
///
/// Flat stretches (blocks of the isotonic fit, the cut-off) get a slope: up to 2 % relative and
/// 0.1 % absolute. So ranking by it equals ranking by score: its values as Float differ wherever
/// scores are a bin (1/64) apart, and mostly at much smaller distances.
struct MismatchPosterior {
  static let relativeSlope = 0.02
  static let absoluteSlope = 1e-3

  var noiseRate: Double
  var calibration: IsotonicCalibration

  func callAsFunction(_ score: Double) -> Double {
    let p = calibration(score)
    let posterior = min(1, noiseRate * (1 - p) / p)
    let rising = 1 / (1 + exp(-score / 4))
    return (1 - Self.absoluteSlope) * posterior * (1 - Self.relativeSlope * rising)
      + Self.absoluteSlope * (1 - rising)
  }

  /// Its value in the middle of every bin, `[ScoreHistogram.binCount]`.
  var bins: [Double] {
    (0..<ScoreHistogram.binCount).map { self(ScoreHistogram.centre($0)) }
  }
}
