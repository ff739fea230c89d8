extension NoiseModel {
  private static let resamples = 400

  /// Two-class confident learning: observed pairs carry the given label *match*, re-paired ones are
  /// known to be *mismatch*.
  ///
  /// Thresholds and joint are cross-fitted: each part is judged by the calibration of the others.
  ///
  /// - Throws: `.tooFewPairs` below `minimumPairs`, `.onePartOnly` where nothing is left to
  ///   cross-fit on, `.notAFraction` for a cut whose parameter is outside 0...1.
  public static func fit(
    _ statistics: PairStatistics, repairing: Repairing, cut: Cut
  ) throws(NoiseModelError) -> NoiseModel {
    try check(statistics, cut)
    let observed = statistics.observed
    let random = statistics.repaired(.random)
    let repaired = statistics.repaired(repairing)
    let rate = NoiseRate(observed: observed, mismatched: random)
    let cautiousRate = NoiseRate(observed: observed, mismatched: repaired)
    let joint = JointEstimate(statistics, repairing)
    let separation = observed.areaUnderROC(against: random)
    let isTelling = separation >= leastSeparation
    var intervals = intervals(statistics, repairing, rate, cautiousRate, joint)
    if !isTelling {
      intervals.rate.low = 0
      intervals.cautiousRate.low = 0
    }

    let calibration = IsotonicCalibration(match: observed, mismatch: random)
    let cautious = IsotonicCalibration(match: observed, mismatch: repaired)
    let mismatch = MismatchPosterior(noiseRate: rate.rate, calibration: calibration).bins
    let cautiousMismatch = MismatchPosterior(noiseRate: cautiousRate.rate, calibration: cautious)
      .bins
    let nothing = ScoreThreshold(dropping: 0, of: observed)
    let threshold: ScoreThreshold =
      switch cut {
      case .pruneByNoiseRate where !isTelling, .confidentLearning where !isTelling,
        .predictedNeqGiven where !isTelling:
        nothing
      case .maxNoise(let limit) where !isTelling:
        ScoreThreshold(score: nothing.score, reachable: limit >= 1)
      case .pruneByNoiseRate: ScoreThreshold(dropping: cautiousRate.rate, of: observed)
      case .confidentLearning:
        ScoreThreshold(dropping: joint.joint.matchMismatch / Double(observed.count), of: observed)
      case .predictedNeqGiven: ScoreThreshold(above: 0.5, mismatch: cautiousMismatch)
      case .keepFraction(let fraction): ScoreThreshold(dropping: 1 - fraction, of: observed)
      case .maxNoise(let limit):
        ScoreThreshold(
          limiting: limit, of: observed, mismatch: cautiousMismatch,
          upTo: cautious.scores[cautious.scores.count - 1])
      }
    let kept = Double(observed.count) - observed.count(below: threshold.score)
    return NoiseModel(
      formatVersion: FormatVersion(), repairing: repairing, cut: cut,
      observedPairs: observed.count, repairedPairs: random.count * (repairing == .both ? 2 : 1), separation: separation,
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

  private struct Intervals {
    var rate, cautiousRate, match, mismatch, joint: Interval
  }

  /// The estimates on resampled statistics. The noise rates' intervals also span what the exponent of the matches' tail
  /// may be.
  private static func intervals(
    _ statistics: PairStatistics, _ repairing: Repairing, _ rate: NoiseRate,
    _ cautious: NoiseRate, _ joint: JointEstimate
  ) -> Intervals {
    var random = SplitMix64(state: 0)
    var samples: [(random: Interval, cautious: Interval, joint: JointEstimate)] = []
    for _ in 0..<resamples {
      let drawn = statistics.resampled(using: &random)
      // Chance may leave a part of few pairs empty, and with it nothing to cross-fit on.
      let held = drawn.parts.count { $0.observed.count > 0 && repairing.repaired($0).count > 0 }
      if held < 2 || drawn.repaired(.random).count == 0 { continue }
      samples.append(
        (
          rates(drawn, .random), rates(drawn, repairing),
          JointEstimate(drawn, repairing)
        ))
    }
    func rateInterval(_ range: [Interval], _ estimate: Double) -> Interval {
      Interval(
        low: Interval(range.map(\.low), around: estimate).low,
        high: Interval(range.map(\.high), around: estimate).high)
    }
    return Intervals(
      rate: rateInterval(samples.map(\.random), rate.rate),
      cautiousRate: rateInterval(samples.map(\.cautious), cautious.rate),
      match: Interval(samples.map(\.joint.thresholds.match), around: joint.thresholds.match),
      mismatch: Interval(
        samples.map(\.joint.thresholds.mismatch), around: joint.thresholds.mismatch),
      joint: Interval(samples.map(\.joint.noiseRate), around: joint.noiseRate))
  }

  private static func rates(_ statistics: PairStatistics, _ repairing: Repairing) -> Interval {
    let observed = statistics.observed
    let repaired = statistics.repaired(repairing)
    let ends = [NoiseRate.exponents.lowerBound, NoiseRate.exponents.upperBound].map {
      NoiseRate(observed: observed, mismatched: repaired, exponent: $0).rate
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

/// Thresholds and confident joint, cross-fitted over the parts that hold pairs.
private struct JointEstimate {
  var thresholds: ConfidenceThresholds
  var joint: ConfidentJoint
  var calibrated: ConfidentJoint
  var noiseRate: Double

  init(_ statistics: PairStatistics, _ repairing: Repairing) {
    let labels = statistics.parts.map { (observed: $0.observed, repaired: repairing.repaired($0)) }
    let parts = labels.indices.map { part in
      let others = labels.indices.filter { $0 != part }
      let calibration = IsotonicCalibration(
        match: ScoreHistogram(merging: others.map { labels[$0].observed }),
        mismatch: ScoreHistogram(merging: others.map { labels[$0].repaired }))
      return CrossFittedPart(
        observed: labels[part].observed, repaired: labels[part].repaired,
        probabilities: (0..<ScoreHistogram.binCount).map { calibration(ScoreHistogram.centre($0)) })
    }
    let observed = Double(statistics.observed.count)
    thresholds = ConfidenceThresholds(parts)
    joint = ConfidentJoint(parts, thresholds: thresholds, repairedWeight: repairing.weight)
    calibrated = joint.calibrated(
      match: observed,
      mismatch: Double(statistics.repaired(repairing).count) * repairing.weight)
    noiseRate = calibrated.matchMismatch / observed
  }
}
