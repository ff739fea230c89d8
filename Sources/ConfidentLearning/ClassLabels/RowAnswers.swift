/// What the reads ask of rows: their likeliest classes, found by the kernels for all of them at once, and what follows from
/// these.
struct RowAnswers<Scalar: ProbabilityScalar> {
  typealias Row = UnsafeBufferPointer<Scalar>

  private let values: Row
  private let classes: Int
  private let bounds: Row
  private let rules: ClassLabelRules
  /// -1 where no probability is above 0.
  private var likeliestClasses: [Int32]
  private var passes: [UInt8]

  /// - Parameters:
  ///   - values: `[n, classes]`.
  ///   - bounds: `[classes]`.
  init(_ values: Row, bounds: Row, rules: ClassLabelRules) {
    (self.values, self.bounds, self.rules) = (values, bounds, rules)
    classes = bounds.count
    let rows = values.count / classes
    likeliestClasses = Array(repeating: 0, count: rows)
    passes = Array(repeating: 0, count: rows)
    guard let first = values.baseAddress, let bound = bounds.baseAddress else { return }
    Scalar.likeliest(
      first, rows: rows, classes: classes, bounds: bound, into: &likeliestClasses, passes: &passes)
  }

  @inline(__always)
  func row(_ index: Int) -> Row {
    Row(rebasing: values[index * classes..<(index + 1) * classes])
  }

  /// The likeliest class, or -1 where no probability is above 0.
  @inline(__always)
  func likeliest(_ index: Int) -> Int { Int(likeliestClasses[index]) }

  /// Whether any probability reaches its bound.
  @inline(__always)
  func anyPasses(_ index: Int) -> Bool { passes[index] != 0 }

  /// The class that the row counts for in the confident joint, or -1.
  @inline(__always)
  func confidentLabel(_ index: Int) -> Int {
    if passes[index] == 0 { return -1 }
    let k = likeliest(index)
    // If the likeliest class of all is passed, it is the likeliest of those passed.
    if k >= 0, values[index * classes + k] >= bounds[k] { return k }
    return PlainRow.confidentLabel(row(index), bounds: bounds, rules: rules)
  }

  /// The likeliest class, where the given label wins if it is within the rules' margin.
  @inline(__always)
  func prediction(_ index: Int, label: Int) -> Int {
    Self.prediction(row(index), likeliest: likeliest(index), label: label, rules: rules)
  }

  /// The same for one row.
  static func prediction(_ row: Row, label: Int, bounds: Row, rules: ClassLabelRules) -> Int {
    guard let first = row.baseAddress, let bound = bounds.baseAddress else { return label }
    var likeliest: Int32 = -1
    var passes: UInt8 = 0
    Scalar.likeliest(
      first, rows: 1, classes: row.count, bounds: bound, into: &likeliest, passes: &passes)
    return prediction(row, likeliest: Int(likeliest), label: label, rules: rules)
  }

  @inline(__always)
  private static func prediction(
    _ row: Row, likeliest k: Int, label: Int, rules: ClassLabelRules
  ) -> Int {
    let margin = rules.agreementMargin
    if k < 0 { return PlainRow.prediction(row, label: label, margin: margin) }
    let given = Double(row[label]) + margin
    let best = Double(row[k])
    return given > best ? label : given < best ? k : min(k, label)
  }

  /// Whether a class is likelier than the given label.
  @inline(__always)
  func disagrees(_ index: Int, label: Int) -> Bool {
    let k = likeliest(index)
    return k >= 0 && k != label
  }
}
