/// Storey's tail ratio as an estimate of the share of mismatched pairs (Storey, JRSS B 2002).
///
/// Below a low quantile of the re-paired scores there are hardly any matches, so the observed pairs
/// there are mismatches, and the quantile says what share of all mismatches they are. It needs no
/// model of the matches. With random re-pairing it is a lower bound where hard mismatches exist
/// (these score higher, and are missing from the tail); it errs upwards by the matches that score
/// as low.
enum TailNoiseRate {
  /// The share of the re-paired scores that makes the tail.
  static let tail = 0.1

  /// The estimate, and the number of observed pairs in the tail that it rests on.
  static func estimate(
    observed: ScoreHistogram, repaired: ScoreHistogram
  ) -> (rate: Double, pairs: Double) {
    guard observed.count > 0, let edge = repaired.quantile(tail) else { return (0, 0) }
    let pairs = observed.count(below: edge)
    return (min(1, pairs / Double(observed.count) / tail), pairs)
  }
}
