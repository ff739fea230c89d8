/// Predicted probabilities, row-major, in the type they were stored in. A `Float` is widened, exactly, wherever it enters
/// a computation.
public enum PredictedProbabilities: Sendable, Equatable {
  case float32([Float])
  case float64([Double])

  public var count: Int {
    switch self {
    case .float32(let values): values.count
    case .float64(let values): values.count
    }
  }
}

/// A part of a data set, or all of it: given labels, and the probabilities that a model predicted for each class.
/// The model must not have learned from these very examples (out-of-sample predictions, by cross-validation).
public struct LabelledRows: Sendable {
  /// The number of the first row in the whole data set.
  public let first: Int
  /// Classes, `K`.
  public let classes: Int
  /// The given label of each row, `[n]`.
  public let labels: [Int32]
  /// P(label = k | x), `[n, K]`.
  public let probabilities: PredictedProbabilities

  /// - Throws: `ClassLabelError.tooFewClasses`, `.unequalCounts`. The values are looked at by what they are added to.
  public init(
    first: Int = 0, classes: Int, labels: [Int32], probabilities: PredictedProbabilities
  ) throws(ClassLabelError) {
    guard classes >= 2 else { throw .tooFewClasses(found: classes) }
    guard labels.count * classes == probabilities.count else {
      throw .unequalCounts(labels: labels.count, values: probabilities.count, classes: classes)
    }
    (self.first, self.classes, self.labels) = (first, classes, labels)
    self.probabilities = probabilities
  }

  /// - Throws: `.labelOutOfRange` for the first label that is no class.
  func checkLabels() throws(ClassLabelError) {
    let limit = UInt32(classes)
    // The highest of all is found faster than the first that is too high.
    guard labels.reduce(0, { max($0, UInt32(bitPattern: $1)) }) >= limit else { return }
    if let bad = labels.firstIndex(where: { UInt32(bitPattern: $0) >= limit }) {
      throw .labelOutOfRange(row: first + bad, label: Int(labels[bad]), classes: classes)
    }
  }
}
