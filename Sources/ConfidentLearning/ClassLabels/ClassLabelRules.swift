/// Whose rules are followed where cleanlab, the reference implementation by the paper's first author, departs from the
/// paper (Northcutt, Jiang & Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels", JAIR 2021).
///
/// | | `cleanlab` (2.9) | `paper` |
/// |---|---|---|
/// | a class is passed at | threshold - 1e-6 | threshold |
/// | thresholds | at least 2e-6 | as they are |
/// | several classes are passed | the likeliest of *all* classes, passed or not | the likeliest of those passed (eq. 1) |
/// | confident joint's diagonal | at least 1 | as counted |
/// | calibrated joint | whole counts, rows rounded to their totals | real numbers (eq. 3) |
/// | classes with one example, or fewer than asked for | never pruned | pruned like others |
/// | flagged, though the given label is the likeliest | not flagged after all (within 1e-6) | flagged |
///
/// The default is `cleanlab`: its numbers are those that published lists of label errors were made with and that other
/// tools report, so a difference from them would need explaining each time. On ordinary data both flag nearly the same;
/// they part where classes are rare or their thresholds far apart. Take `paper` to reproduce the paper's formulas.
///
/// A class that was never given has no threshold: nothing passes it (cleanlab: a threshold of 2). Equal probabilities
/// are decided for the lower class, and equal scores for the lower row; numpy's default sort, which cleanlab uses, takes
/// one of the equals or another depending on the processor, and the lower row with `kind="stable"`.
public enum ClassLabelRules: String, Sendable, Equatable, CaseIterable, Codable {
  case cleanlab
  case paper

  /// Subtracted from a threshold before a probability is compared. A mean of equal numbers may lie a rounding above
  /// each of them, so the paper's rules need a little too.
  var tolerance: Double { self == .cleanlab ? 1e-6 : 1e-12 }

  /// The least threshold.
  var thresholdFloor: Double { self == .cleanlab ? 2e-6 : 0 }

  /// By how much the given label may be less likely than another one and the prediction still agree with it.
  var agreementMargin: Double { self == .cleanlab ? 1e-6 : 0 }
}

/// The threshold of a class that was never given; no probability reaches it.
let unreachableThreshold = 2.0

/// How far beyond 0...1 rounding may push a probability; cleanlab's input check allows the same.
let probabilitySlack = 1e-6
