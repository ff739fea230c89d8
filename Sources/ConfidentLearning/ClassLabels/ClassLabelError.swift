/// Why labels and predicted probabilities can't be judged.
public enum ClassLabelError: Error, Equatable, CustomStringConvertible {
  /// Confident learning compares classes: there must be two.
  case tooFewClasses(found: Int)
  /// As many labels as rows of probabilities, `classes` values a row.
  case unequalCounts(labels: Int, values: Int, classes: Int)
  /// A label is none of `0..<classes`.
  case labelOutOfRange(row: Int, label: Int, classes: Int)
  /// A value is NaN or outside 0...1 (by more than 1e-6).
  case notAProbability(row: Int, column: Int, value: Double)
  /// A parameter makes no sense; the text says which and why.
  case parameter(String)

  public var description: String {
    switch self {
    case .tooFewClasses(let found):
      "\(found) classes; labels can be judged where there are at least 2"
    case .unequalCounts(let labels, let values, let classes):
      "\(labels) labels and \(values) probabilities of \(classes) classes; there must be a row of \(classes) for each label"
    case .labelOutOfRange(let row, let label, let classes):
      "row \(row): label \(label) is not one of the \(classes) classes 0...\(classes - 1)"
    case .notAProbability(let row, let column, let value):
      "row \(row), column \(column): \(value) is not a probability between 0 and 1"
    case .parameter(let text): text
    }
  }
}
