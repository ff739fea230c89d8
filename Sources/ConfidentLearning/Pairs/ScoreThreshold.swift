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

  /// The lowest threshold at which the mean of `mismatch` (per bin, non-increasing) over the kept
  /// pairs is at most `limit`, interpolated within its bin.
  ///
  /// Thresholds up to `last` are tried, the score beyond which the estimate no longer falls in
  /// earnest. If even `last` leaves more noise than `limit`, it is the threshold, and `reachable`
  /// is false.
  init(
    limiting limit: Double, of observed: ScoreHistogram, mismatch: [Double], upTo last: Double
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
    guard let bin = (0...lastBin).first(where: { noise[$0] <= limit * kept[$0] }) else {
      score = min(last, ScoreHistogram.lowerEdge(highest))
      reachable = false
      return
    }
    score = ScoreHistogram.lowerEdge(bin)
    if bin > 0 {
      // The share of the bin below that can be kept too: noise + share * held * mismatch reaches
      // limit * (kept + share * held).
      let room = limit * kept[bin] - noise[bin]
      let excess = Double(observed.counts[bin - 1]) * (mismatch[bin - 1] - limit)
      score -= ScoreHistogram.binWidth * room / excess
    }
  }
}
