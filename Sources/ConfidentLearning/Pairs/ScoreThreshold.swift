/// Where a cut falls on the score axis. Pairs at or above `score` are kept.
struct ScoreThreshold: Equatable {
  var score: Double
  /// False where no threshold meets the cut's demand (`maxNoise` only).
  var reachable = true

  init(score: Double, reachable: Bool) {
    self.score = score
    self.reachable = reachable
  }

  /// A bin that holds more than this share of the pairs holds equal ones: no threshold divides them.
  private static let tied = 0.02

  /// The threshold below which `fraction` of the observed pairs lie, or fewer where pairs score alike.
  init(dropping fraction: Double, of observed: ScoreHistogram) {
    // Nothing dropped is the grid's end, so that a score seen later below all of these stays too.
    let lowest = ScoreHistogram.range.lowerBound
    score = fraction > 0 ? observed.quantile(fraction) ?? lowest : lowest
    if fraction >= 1 {
      score = ScoreHistogram.range.upperBound
      return
    }
    let bin = ScoreHistogram.bin(of: Float(score))
    if Double(observed.counts[bin]) > Self.tied * Double(observed.count) {
      score = ScoreHistogram.lowerEdge(bin)
    }
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
  /// Only thresholds count that keep enough pairs to show so little noise (the rule of three: none seen in n proves no
  /// less than 3 / n), up to `last`, the score beyond which the estimate no longer falls in earnest. Where none will do,
  /// it is the one of the least upper bound, and `reachable` is false.
  ///
  /// A threshold lies between bins: pairs of a bin may be copies of one another, which no threshold divides.
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
    let bins = 0...min(ScoreHistogram.bin(of: Float(last)), highest)
    let telling = bins.prefix { kept[$0] * (limit + Self.tolerance) >= 3 }
    let found = telling.first {
      noise[$0] <= limit * kept[$0] && upper[$0] <= limit + Self.tolerance
    }
    reachable = found != nil
    let surest = (telling.isEmpty ? bins[...] : telling).min { upper[$0] < upper[$1] }
    score = ScoreHistogram.lowerEdge(found ?? surest ?? 0)
  }
}
