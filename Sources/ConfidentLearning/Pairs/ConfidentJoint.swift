/// A 2x2 table of pairs by given label (observed = *match*, re-paired = *mismatch*) and by the
/// label that the scores confidently tell. Two-class confident joint of Northcutt, Jiang & Chuang,
/// "Confident Learning" (JAIR 2021), section 3.1.
public struct ConfidentJoint: Sendable, Equatable, Codable {
  /// Observed pairs that are confidently matches.
  public var matchMatch: Double
  /// Observed pairs that are confidently mismatches: the off-diagonal that confident learning
  /// prunes.
  public var matchMismatch: Double
  /// Re-paired pairs that are confidently matches.
  public var mismatchMatch: Double
  /// Re-paired pairs that are confidently mismatches.
  public var mismatchMismatch: Double

  enum CodingKeys: String, CodingKey {
    case matchMatch = "match_match"
    case matchMismatch = "match_mismatch"
    case mismatchMatch = "mismatch_match"
    case mismatchMismatch = "mismatch_mismatch"
  }

  /// Rows scaled to the counts of the given labels (the paper's eq. 3, before the division by n). A
  /// row without any confident pair stays on its diagonal.
  func calibrated(match: Double, mismatch: Double) -> ConfidentJoint {
    let matchRow = matchMatch + matchMismatch
    let mismatchRow = mismatchMatch + mismatchMismatch
    let wrongMatch = matchRow > 0 ? match * matchMismatch / matchRow : 0
    let wrongMismatch = mismatchRow > 0 ? mismatch * mismatchMatch / mismatchRow : 0
    return ConfidentJoint(
      matchMatch: match - wrongMatch, matchMismatch: wrongMatch,
      mismatchMatch: wrongMismatch, mismatchMismatch: mismatch - wrongMismatch)
  }
}

/// The mean self-confidence of each given label (the paper's eq. 2): a pair counts as a label when
/// its probability of that label reaches the label's threshold.
public struct ConfidenceThresholds: Sendable, Equatable, Codable {
  /// Mean P(match) over observed pairs.
  public var match: Double
  /// Mean P(mismatch) over re-paired pairs.
  public var mismatch: Double

  /// The confident label at P(match) = `probability`: true for match, false for mismatch, nil for
  /// neither. Where both thresholds are reached, the likelier label wins (the collision rule of
  /// eq. 1).
  func confidentMatch(_ probability: Double) -> Bool? {
    // A mean of equal numbers may lie a rounding above each of them.
    let slack = 1e-12
    let isMatch = probability >= match - slack
    let isMismatch = 1 - probability >= mismatch - slack
    if isMatch && isMismatch { return probability >= 0.5 }
    return isMatch ? true : isMismatch ? false : nil
  }
}

/// The scores of one part beside the calibration that was fitted on all other parts.
struct CrossFittedPart {
  var observed: ScoreHistogram
  var repaired: ScoreHistogram
  /// P(match) of every bin, `[binCount]`.
  var probabilities: [Double]
}

extension ConfidenceThresholds {
  init(_ parts: [CrossFittedPart]) {
    var observed = (sum: 0.0, count: 0.0)
    var repaired = (sum: 0.0, count: 0.0)
    for part in parts {
      for (bin, probability) in part.probabilities.enumerated() {
        observed.sum += Double(part.observed.counts[bin]) * probability
        repaired.sum += Double(part.repaired.counts[bin]) * (1 - probability)
      }
      observed.count += Double(part.observed.count)
      repaired.count += Double(part.repaired.count)
    }
    self.init(match: observed.sum / observed.count, mismatch: repaired.sum / repaired.count)
  }
}

extension ConfidentJoint {
  /// Counts the pairs of every part, a re-paired one with `repairedWeight`.
  init(_ parts: [CrossFittedPart], thresholds: ConfidenceThresholds, repairedWeight: Double) {
    self.init(matchMatch: 0, matchMismatch: 0, mismatchMatch: 0, mismatchMismatch: 0)
    for part in parts {
      for (bin, probability) in part.probabilities.enumerated() {
        let observed = Double(part.observed.counts[bin])
        let repaired = Double(part.repaired.counts[bin]) * repairedWeight
        switch thresholds.confidentMatch(probability) {
        case true?:
          matchMatch += observed
          mismatchMatch += repaired
        case false?:
          matchMismatch += observed
          mismatchMismatch += repaired
        case nil: break
        }
      }
    }
  }
}
