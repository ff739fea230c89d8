extension NoiseModel {
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
    let parts = crossFitted(statistics, repairing)
    let observed = merged(parts.map(\.observed))
    let repaired = merged(parts.map(\.repaired))

    let thresholds = ConfidenceThresholds(parts)
    let joint = ConfidentJoint(parts, thresholds: thresholds, repairedWeight: repairing.weight)
    let calibrated = joint.calibrated(
      match: Double(observed.count), mismatch: Double(repaired.count) * repairing.weight)
    let jointNoiseRate = calibrated.matchMismatch / Double(observed.count)
    let tail = TailNoiseRate.estimate(
      observed: observed, repaired: merged(statistics.parts.map(\.randomRepaired)))
    let noiseRate = (tail.rate * jointNoiseRate).squareRoot()

    let calibration = IsotonicCalibration(match: observed, mismatch: repaired)
    let posterior = MismatchPosterior(
      noiseRate: noiseRate, calibration: calibration, observed: observed)
    let mismatch = (0..<ScoreHistogram.binCount).map {
      posterior(ScoreHistogram.centre($0), calibration: calibration)
    }
    let threshold: ScoreThreshold =
      switch cut {
      case .pruneByNoiseRate: ScoreThreshold(dropping: noiseRate, of: observed)
      case .confidentLearning:
        ScoreThreshold(dropping: joint.matchMismatch / Double(observed.count), of: observed)
      case .predictedNeqGiven: ScoreThreshold(above: 0.5, mismatch: mismatch)
      case .keepFraction(let fraction): ScoreThreshold(dropping: 1 - fraction, of: observed)
      case .maxNoise(let limit):
        ScoreThreshold(
          limiting: limit, of: observed, mismatch: mismatch,
          upTo: calibration.scores[calibration.scores.count - 1])
      }
    let kept = Double(observed.count) - observed.count(below: threshold.score)
    return NoiseModel(
      formatVersion: FormatVersion(), repairing: repairing, cut: cut,
      observedPairs: observed.count, repairedPairs: repaired.count,
      noiseRate: noiseRate, jointNoiseRate: jointNoiseRate, tailNoiseRate: tail.rate,
      tailPairs: tail.pairs,
      thresholds: thresholds, confidentJoint: joint, calibratedJoint: calibrated,
      calibration: calibration, posterior: posterior,
      scoreThreshold: threshold.score, expectedKept: kept / Double(observed.count),
      estimatedNoiseKept: noise(in: observed, from: threshold.score, mismatch: mismatch),
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

  private static func crossFitted(
    _ statistics: PairStatistics, _ repairing: Repairing
  ) -> [CrossFittedPart] {
    let labels = statistics.parts.map { (observed: $0.observed, repaired: repairing.repaired($0)) }
    return labels.indices.map { part in
      let others = labels.indices.filter { $0 != part }
      let calibration = IsotonicCalibration(
        match: merged(others.map { labels[$0].observed }),
        mismatch: merged(others.map { labels[$0].repaired }))
      return CrossFittedPart(
        observed: labels[part].observed, repaired: labels[part].repaired,
        probabilities: (0..<ScoreHistogram.binCount).map { calibration(ScoreHistogram.centre($0)) })
    }
  }

  private static func merged(_ histograms: [ScoreHistogram]) -> ScoreHistogram {
    histograms.reduce(into: ScoreHistogram()) { $0.merge($1) }
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
