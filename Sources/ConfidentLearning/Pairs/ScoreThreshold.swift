/// Where a cut falls on the score axis. Pairs at or above `score` are kept.
struct ScoreThreshold: Equatable {
  var score: Double
  /// False where no threshold meets the cut's demand (`maxNoise` only).
  var reachable = true

  init(score: Double, reachable: Bool) {
    self.score = score
    self.reachable = reachable
  }

  /// The threshold below which `fraction` of the observed pairs lie.
  init(dropping fraction: Double, of observed: ScoreHistogram) {
    // Nothing dropped is the grid's end, so that a score seen later below all of these stays too.
    let lowest = ScoreHistogram.range.lowerBound
    score = fraction > 0 ? observed.quantile(fraction) ?? lowest : lowest
    if fraction >= 1 { score = ScoreHistogram.range.upperBound }
  }

  /// The lower edge of the first bin whose `mismatch` (per bin, non-increasing) is at most `limit`.
  init(above limit: Double, mismatch: [Double]) {
    let bin = mismatch.firstIndex { $0 <= limit } ?? ScoreHistogram.binCount
    score = ScoreHistogram.lowerEdge(bin)
  }

  /// What an estimate of the noise among the kept pairs may exceed the limit by, in its upper confidence bound.
  static let tolerance = 0.02

  /// The lowest threshold at which the mean of `mismatch` (per bin, non-increasing) over the kept
  /// pairs is at most `limit`, and its upper bound at most `tolerance` more. A threshold chosen by the estimate alone is
  /// one at which the estimate errs to the low side.
  ///
  /// Thresholds up to `last` are tried, the score beyond which the estimate no longer falls in
  /// earnest. If even `last` leaves more noise than `limit`, it is the threshold, and `reachable`
  /// is false.
  ///
  /// - Parameter upper: the bound for the pairs in each bin and all above it, `[binCount]`.
  init(
    limiting limit: Double, of observed: ScoreHistogram, mismatch: [Double], upper: [Double],
    upTo last: Double
  ) {
    let binCount = ScoreHistogram.binCount
    // Pairs and expected mismatches in each bin and all above it.
    var kept = Array(repeating: 0.0, count: binCount + 1)
    var noise = kept
    for bin in (0..<binCount).reversed() {
      let held = Double(observed.counts[bin])
      kept[bin] = kept[bin + 1] + held
      noise[bin] = noise[bin + 1] + held * mismatch[bin]
    }
    let highest = observed.counts.lastIndex { $0 > 0 } ?? 0
    let lastBin = min(ScoreHistogram.bin(of: Float(last)), highest)
    func isEstimated(_ bin: Int) -> Bool { noise[bin] <= limit * kept[bin] }
    guard
      let bin = (0...lastBin).first(where: {
        isEstimated($0) && upper[$0] <= limit + Self.tolerance
      })
    else {
      score = min(last, ScoreHistogram.lowerEdge(highest))
      reachable = false
      return
    }
    score = ScoreHistogram.lowerEdge(bin)
    if bin > 0, !isEstimated(bin - 1) {
      // The share of the bin below that can be kept too: noise + share * held * mismatch reaches
      // limit * (kept + share * held).
      let room = limit * kept[bin] - noise[bin]
      let excess = Double(observed.counts[bin - 1]) * (mismatch[bin - 1] - limit)
      score -= ScoreHistogram.binWidth * room / excess
    }
  }
}
