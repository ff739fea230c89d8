/// Thresholds and confident joint, cross-fitted over the parts, several together.
struct JointEstimate {
  private static let folds = 4

  var thresholds: ConfidenceThresholds
  var joint: ConfidentJoint
  var calibrated: ConfidentJoint
  var noiseRate: Double

  init(_ statistics: PairStatistics, _ repairing: Repairing) {
    let held = statistics.parts.filter { $0.observed.count > 0 || repairing.repaired($0).count > 0 }
    let labels = (0..<Self.folds).map { fold in
      let parts = held.indices.filter { $0 % Self.folds == fold }.map { held[$0] }
      return (
        observed: ScoreHistogram(merging: parts.map(\.observed)),
        repaired: ScoreHistogram(merging: parts.map { repairing.repaired($0) })
      )
    }
    let parts = labels.indices.map { fold in
      var others = labels.indices.filter { $0 != fold }
      // A few captions may leave one label to this fold alone.
      if others.allSatisfy({ labels[$0].observed.count == 0 })
        || others.allSatisfy({ labels[$0].repaired.count == 0 })
      {
        others = Array(labels.indices)
      }
      let calibration = IsotonicCalibration(
        match: ScoreHistogram(merging: others.map { labels[$0].observed }),
        mismatch: ScoreHistogram(merging: others.map { labels[$0].repaired }))
      return CrossFittedPart(
        observed: labels[fold].observed, repaired: labels[fold].repaired,
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
