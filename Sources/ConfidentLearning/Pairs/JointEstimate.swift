/// Thresholds and confident joint, cross-fitted over the parts, several together.
struct JointEstimate {
  private static let folds = 4

  var thresholds: ConfidenceThresholds
  var joint: ConfidentJoint
  var calibrated: ConfidentJoint
  var noiseRate: Double

  init(_ statistics: PairStatistics, _ repairing: Repairing) {
    let held = statistics.parts.filter { $0.observed.count > 0 || repairing.count(in: $0) > 0 }
    var folds = Array(repeating: PairStatistics.Part(), count: Self.folds)
    for (index, part) in held.enumerated() { folds[index % Self.folds].merge(part) }
    let labels = folds.map { (observed: $0.observed, repaired: repairing.repaired($0)) }
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
    let observed = Double(statistics.pairs)
    thresholds = ConfidenceThresholds(parts)
    joint = ConfidentJoint(parts, thresholds: thresholds, repairedWeight: repairing.weight)
    calibrated = joint.calibrated(
      match: observed,
      mismatch: Double(labels.reduce(0) { $0 + $1.repaired.count }) * repairing.weight)
    noiseRate = calibrated.matchMismatch / observed
  }
}
