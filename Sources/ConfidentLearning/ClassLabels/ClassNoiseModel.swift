/// What the first two reads tell about a data set's label noise.
///
///     let model = ClassNoiseModel(statistics, confidentCounts)
///     model.calibratedJoint[3, 5]   // 27: examples that are labelled 3 and are a 5
///     model.noiseRate               // 0.08
public struct ClassNoiseModel: Sendable, Equatable {
  public let rules: ClassLabelRules
  /// Rows of each given label, `[K]`.
  public let labelCounts: [Int]
  /// Mean self-confidence of each class (eq. 2), `[K]`; 2 for a class that was never given.
  public let thresholds: [Double]
  /// Rows by given (row) and confident (column) label (eq. 1).
  public let confidentJoint: ClassMatrix<Int>
  /// The confident joint scaled to all rows of each given label (eq. 3, before the division by their number): examples by
  /// given (row) and true (column) label. Whole numbers under cleanlab's rules.
  public let calibratedJoint: ClassMatrix<Double>
  /// What `.confidentLearning` flags, and how many `.lowNormalizedMargin` and `.lowSelfConfidence` do.
  public let confidentIssues: Int

  /// - Precondition: both of the same rows.
  public init(_ statistics: ClassStatistics, _ confident: ConfidentCounts) {
    rules = confident.rules
    labelCounts = statistics.counts
    thresholds = confident.thresholds
    confidentJoint = confident.confidentJoint
    confidentIssues = confident.confidentIssues
    calibratedJoint = Self.calibrate(confidentJoint, labelCounts: labelCounts, rules: rules)
  }

  /// Rows.
  public var count: Int { labelCounts.reduce(0, +) }

  /// P(given label, true label): the calibrated joint, sum 1.
  public var joint: ClassMatrix<Double> {
    let total = max(calibratedJoint.sum, tiny)
    return calibratedJoint.map { $0 / total }
  }

  /// The estimated share of wrong labels: the joint off its diagonal.
  public var noiseRate: Double { 1 - pairwiseSum(joint.diagonal) }

  /// `noiseRate` as a number of rows (cleanlab's num_label_issues, "off_diagonal_calibrated").
  public var estimatedIssues: Int {
    Int((noiseRate * Double(count)).rounded(.toNearestOrEven))
  }

  /// Scales a confident joint to the counts of the given labels.
  ///
  /// - Parameters:
  ///   - joint: by given (row) and true (column) label.
  ///   - labelCounts: rows of each given label, `[K]`.
  /// - Returns: rows that sum to the counts; under the paper's rules, a row without any confident example lies on the
  ///   diagonal (eq. 3 would divide by 0).
  public static func calibrate(
    _ joint: ClassMatrix<Int>, labelCounts: [Int], rules: ClassLabelRules = .cleanlab
  ) -> ClassMatrix<Double> {
    let classes = joint.classes
    var scaled = joint.map { Double($0) }
    for (given, sum) in joint.rowSums.enumerated() {
      if rules == .paper && sum == 0 {
        scaled[given, given] = Double(labelCounts[given])
        continue
      }
      for actual in 0..<classes {
        scaled[given, actual] =
          scaled[given, actual] / max(Double(sum), tiny) * Double(labelCounts[given])
      }
    }
    guard rules == .cleanlab else { return scaled }
    // cleanlab holds the joint with the true label first, and numpy adds in the order of memory.
    let total = max(pairwiseSum(scaled.transposed.values), tiny)
    let count = Double(labelCounts.reduce(0, +))
    let rows = (0..<classes).flatMap { given in
      roundedPreservingSum(scaled.row(given).map { $0 / total * count }).map { Double($0) }
    }
    return ClassMatrix(classes: classes, values: rows)
  }
}

/// Stands for 0 where something is divided by it.
let tiny = 1e-100
