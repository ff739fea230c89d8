import Foundation

/// How good a given label looks, 0...1; lower is worse. P is the row of predicted probabilities, k the given label.
public enum LabelQuality: String, Sendable, Equatable, CaseIterable {
  /// P[k]: finds what fits no class well, too.
  case selfConfidence = "self_confidence"
  /// (P[k] - max of the others + 1) / 2: finds what fits another class better.
  case normalizedMargin = "normalized_margin"
  /// log(1 + s) / s with s = normalised entropy of P / P[k]: cleanlab's form of the confidence-weighted entropy. It is 0
  /// for a row of 0s and a 1, the surest there is, and that is cleanlab's, too.
  case confidenceWeightedEntropy = "confidence_weighted_entropy"
}

/// Scores rows one at a time, in Double.
struct QualityScorer: Sendable {
  let quality: LabelQuality
  /// Subtracted from the probabilities before they are scored; the largest is added again, and rows scaled to sum 1.
  private let adjustment: [Double]?
  private var row: [Double]

  /// - Parameter adjustment: the thresholds to account for imbalance with, `[classes]`; nil for none.
  init(_ quality: LabelQuality, classes: Int, adjustment: [Double]?) {
    self.quality = quality
    self.adjustment = adjustment
    row = Array(repeating: 0, count: classes)
  }

  mutating func score<Scalar: ProbabilityScalar>(
    _ probabilities: UnsafeBufferPointer<Scalar>, label: Int
  ) -> Double {
    if adjustment == nil && quality == .selfConfidence { return Double(probabilities[label]) }
    for k in row.indices { row[k] = Double(probabilities[k]) }
    if let adjustment {
      let shift = adjustment.max() ?? 0
      for k in row.indices { row[k] = row[k] - adjustment[k] + shift }
      let sum = pairwiseSum(row)
      for k in row.indices { row[k] /= sum }
    }
    switch quality {
    case .selfConfidence: return row[label]
    case .normalizedMargin:
      var other = -Double.infinity
      for k in row.indices where k != label { other = max(other, row[k]) }
      return (row[label] - other + 1) / 2
    case .confidenceWeightedEntropy:
      let confidence = max(row[label], Self.least)
      for k in row.indices { row[k] = row[k] > 0 ? row[k] * log(row[k]) : 0 }
      let weighted = -pairwiseSum(row) / log(Double(row.count)) / confidence
      return log(weighted + 1) / max(weighted, Self.least)
    }
  }

  /// What is divided by is at least this.
  private static let least = 1e-6
}

extension LabelledRows {
  /// The quality of each given label, `[n]`. cleanlab's `get_label_quality_scores`, whose adjusted entropy doesn't exist.
  ///
  /// - Parameter adjustment: `ClassStatistics.thresholds` to account for class imbalance: they are subtracted from the
  ///   probabilities, the largest is added again, and each row is scaled to sum 1. Nil leaves them as they are.
  /// - Throws: `.labelOutOfRange`, `.parameter` for another number of thresholds than classes.
  public func qualities(
    _ quality: LabelQuality, adjustment: [Double]? = nil
  ) throws(ClassLabelError) -> [Double] {
    try checkLabels()
    guard adjustment.map({ $0.count == classes }) ?? true else {
      throw .parameter("\(adjustment?.count ?? 0) thresholds for \(classes) classes")
    }
    let scorer = QualityScorer(quality, classes: classes, adjustment: adjustment)
    return switch probabilities {
    case .float32(let values): qualities(values, scorer)
    case .float64(let values): qualities(values, scorer)
    }
  }

  private func qualities<Scalar: ProbabilityScalar>(
    _ values: [Scalar], _ scorer: QualityScorer
  ) -> [Double] {
    var scorer = scorer
    return forEachRow(values) { row, label in scorer.score(row, label: label) }
  }

  /// Results of `body`, given a row and its label.
  @inline(__always)
  func forEachRow<Scalar: ProbabilityScalar, Result>(
    _ values: [Scalar], _ body: (UnsafeBufferPointer<Scalar>, Int) -> Result
  ) -> [Result] {
    values.withUnsafeBufferPointer { values in
      labels.indices.map { index in
        let row = UnsafeBufferPointer(rebasing: values[index * classes..<(index + 1) * classes])
        return body(row, Int(labels[index]))
      }
    }
  }
}
