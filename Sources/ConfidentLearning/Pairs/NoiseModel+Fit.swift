extension NoiseModel {
  /// Two-class confident learning: observed pairs carry the given label *match*, re-paired ones are
  /// known to be *mismatch*.
  ///
  /// Thresholds and joint are cross-fitted: each part is judged by the calibration of the others.
  ///
  /// - Parameter resamples: of the bootstrap behind the 95 % intervals; below 100 these are rough.
  /// - Throws: `.tooFewPairs` below `minimumPairs`, `.onePartOnly` where nothing is left to
  ///   cross-fit on, `.notAFraction` for a cut whose parameter is outside 0...1.
  public static func fit(
    _ statistics: PairStatistics, repairing: Repairing, cut: Cut, resamples: Int = 400
  ) throws(NoiseModelError) -> NoiseModel {
    try check(statistics, cut)
    let whole = statistics.whole
    let observed = whole.observed
    let random = whole.randomRepaired
    let repaired = repairing.repaired(whole)
    let rate = NoiseRate(observed: observed, mismatched: random)
    let cautiousRate = NoiseRate(observed: observed, mismatched: repaired)
    let joint = JointEstimate(statistics, repairing)
    let separation = observed.areaUnderROC(against: random)
    let intervals = Intervals(
      statistics, repairing, rate, cautiousRate, joint, separation,
      resamples: resamples, limitsNoise: cut.limitsNoise)
    let isTelling = intervals.separation.low > 0.5

    let calibration = IsotonicCalibration(match: observed, mismatch: random)
    let cautious = IsotonicCalibration(match: observed, mismatch: repaired)
    let mismatch = MismatchPosterior(noiseRate: rate.rate, calibration: calibration).bins
    let cautiousMismatch = MismatchPosterior(noiseRate: cautiousRate.rate, calibration: cautious)
      .bins
    let threshold: ScoreThreshold =
      switch cut {
      case .keepFraction(let fraction): ScoreThreshold(dropping: 1 - fraction, of: observed)
      case _ where !isTelling:
        // Keeps all.
        ScoreThreshold(
          score: ScoreHistogram.range.lowerBound, reachable: cut.value.map { $0 >= 1 } ?? true)
      case .pruneByNoiseRate: ScoreThreshold(dropping: cautiousRate.rate, of: observed)
      case .confidentLearning:
        ScoreThreshold(dropping: joint.joint.matchMismatch / Double(observed.count), of: observed)
      case .predictedNeqGiven: ScoreThreshold(above: 0.5, mismatch: cautiousMismatch)
      case .maxNoise(let limit):
        ScoreThreshold(
          limiting: limit, of: observed, mismatch: cautiousMismatch, upper: intervals.noiseAbove,
          upTo: cautious.scores[cautious.scores.count - 1])
      }
    let kept = Double(observed.count) - observed.count(below: threshold.score)
    return NoiseModel(
      formatVersion: FormatVersion(), repairing: repairing, cut: cut,
      observedPairs: observed.count, repairedPairs: random.count * (repairing == .random ? 1 : 2),
      separation: separation, separationInterval: intervals.separation,
      noiseRate: rate.rate, noiseRateInterval: intervals.rate, noiseRatePairs: rate.pairs,
      calibration: calibration,
      cautiousNoiseRate: cautiousRate.rate, cautiousNoiseRateInterval: intervals.cautiousRate,
      cautiousNoiseRatePairs: cautiousRate.pairs, cautiousCalibration: cautious,
      thresholds: joint.thresholds, matchThresholdInterval: intervals.match,
      mismatchThresholdInterval: intervals.mismatch, confidentJoint: joint.joint,
      calibratedJoint: joint.calibrated, jointNoiseRate: joint.noiseRate,
      jointNoiseRateInterval: intervals.joint,
      scoreThreshold: threshold.score, expectedKept: kept / Double(observed.count),
      estimatedNoiseKept: noise(in: observed, from: threshold.score, mismatch: mismatch),
      cautiousNoiseKept: noise(in: observed, from: threshold.score, mismatch: cautiousMismatch),
      cautiousNoiseKeptBound: cut.limitsNoise
        ? intervals.noiseAbove[ScoreHistogram.bin(of: Float(threshold.score))] : nil,
      reachable: threshold.reachable)
  }

  private static func check(
    _ statistics: PairStatistics, _ cut: Cut
  ) throws(NoiseModelError) {
    if let value = cut.value, !(0...1).contains(value) {
      throw .notAFraction(cut: cut.name, value: value)
    }
    guard statistics.pairs >= minimumPairs else {
      throw .tooFewPairs(found: statistics.pairs, needed: minimumPairs)
    }
    for (part, held) in statistics.parts.enumerated() where held.observed.count == statistics.pairs
    {
      throw .onePartOnly(part: part)
    }
  }

  /// The estimates on resampled statistics.
  private struct Intervals {
    var rate, cautiousRate, match, mismatch, joint, separation: Interval
    /// The upper 95 % bound of the share of mismatches among the pairs in each bin and all above it, cautiously; 1 unless
    /// `limitsNoise`.
    var noiseAbove: [Double]

    init(
      _ statistics: PairStatistics, _ repairing: Repairing, _ rate: NoiseRate,
      _ cautious: NoiseRate, _ joint: JointEstimate, _ separation: Double, resamples: Int,
      limitsNoise: Bool
    ) {
      var random = SplitMix64(state: 0)
      var samples: [(random: Interval, cautious: Interval, joint: JointEstimate, area: Double)] = []
      var noise: [[Float]] = []
      let boundOfFew = cautious.boundOfFew(among: statistics.pairs)
      for _ in 0..<resamples {
        let drawn = statistics.resampled(using: &random)
        let whole = drawn.whole
        let observed = whole.observed
        let atRandom = whole.randomRepaired
        let repaired = repairing.repaired(whole)
        // Chance may draw parts that hold nothing.
        if [observed, atRandom, repaired].contains(where: { $0.count == 0 }) { continue }
        let cautious = NoiseModel.rates(observed, repaired)
        samples.append(
          (
            NoiseModel.rates(observed, atRandom), cautious, JointEstimate(drawn, repairing),
            observed.areaUnderROC(against: atRandom)
          ))
        guard limitsNoise else { continue }
        noise.append(
          Self.noiseAbove(
            observed, repaired: repaired, rate: max(cautious.high, boundOfFew)))
      }
      noiseAbove = (0..<ScoreHistogram.binCount).map { bin in
        let sorted = noise.map { $0[bin] }.sorted()
        return sorted.isEmpty ? 1 : Double(sorted[Int(0.95 * Double(sorted.count))])
      }
      self.separation = Interval(samples.map(\.area), around: separation)
      self.rate = Self.spanned(samples.map(\.random), around: rate.rate)
      cautiousRate = Self.spanned(samples.map(\.cautious), around: cautious.rate)
      self.rate.high = max(self.rate.high, rate.boundOfFew(among: statistics.pairs))
      cautiousRate.high = max(cautiousRate.high, boundOfFew)
      match = Interval(samples.map(\.joint.thresholds.match), around: joint.thresholds.match)
      mismatch = Interval(
        samples.map(\.joint.thresholds.mismatch), around: joint.thresholds.mismatch)
      self.joint = Interval(samples.map(\.joint.noiseRate), around: joint.noiseRate)
      if self.separation.low <= 0.5 {
        self.rate.low = 0
        cautiousRate.low = 0
      }
    }

    /// `rate` times the share of the mismatches that lies in each bin or above, over the share of the observed pairs.
    private static func noiseAbove(
      _ observed: ScoreHistogram, repaired: ScoreHistogram, rate: Double
    ) -> [Float] {
      var above = [Float](repeating: 1, count: ScoreHistogram.binCount)
      var (kept, mismatched) = (0.0, 0.0)
      for bin in above.indices.reversed() {
        kept += Double(observed.counts[bin]) / Double(observed.count)
        mismatched += Double(repaired.counts[bin]) / Double(repaired.count)
        if kept > 0 { above[bin] = Float(min(1, rate * mismatched / kept)) }
      }
      return above
    }

    private static func spanned(_ ranges: [Interval], around estimate: Double) -> Interval {
      Interval(
        low: Interval(ranges.map(\.low), around: estimate).low,
        high: Interval(ranges.map(\.high), around: estimate).high)
    }
  }

  /// The noise rates by the least and the largest exponent.
  private static func rates(_ observed: ScoreHistogram, _ repaired: ScoreHistogram) -> Interval {
    let low = NoiseRate.LowScores(observed: observed, mismatched: repaired)
    let ends = [NoiseRate.exponents.lowerBound, NoiseRate.exponents.upperBound].map {
      NoiseRate(low, exponent: $0).rate
    }
    return Interval(low: ends.min() ?? 0, high: ends.max() ?? 0)
  }

  /// The mean of `mismatch` over the pairs at or above `threshold`; 0 where there is none.
  private static func noise(
    in observed: ScoreHistogram, from threshold: Double, mismatch: [Double]
  ) -> Double {
    var kept = 0.0
    var noise = 0.0
    for (bin, count) in observed.counts.enumerated() where count > 0 {
      let above = ScoreHistogram.lowerEdge(bin + 1) - threshold
      let held = Double(count) * min(max(above / ScoreHistogram.binWidth, 0), 1)
      kept += held
      noise += held * mismatch[bin]
    }
    return kept > 0 ? noise / kept : 0
  }
}
