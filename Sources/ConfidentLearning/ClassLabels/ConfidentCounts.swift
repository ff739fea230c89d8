/// The second read: the rows by given label and by the label that they confidently tell.
///
/// Integer counts: those of parts merge exactly, in any order and any split.
public struct ConfidentCounts: Sendable, Equatable {
  /// Of the whole data set, `[K]`.
  public let thresholds: [Double]
  public let rules: ClassLabelRules
  /// Rows by given label (row) and confident label (column); those that pass no threshold are in no cell.
  public private(set) var counts: ClassMatrix<Int>
  /// Rows off the diagonal whose prediction isn't the given label: what `.confidentLearning` flags.
  public private(set) var confidentIssues = 0
  private let bounds: ConfidenceBounds

  /// - Parameter thresholds: `ClassStatistics.thresholds` of the whole data set.
  public init(thresholds: [Double], rules: ClassLabelRules = .cleanlab) {
    self.thresholds = thresholds
    self.rules = rules
    counts = ClassMatrix(classes: thresholds.count, repeating: 0)
    bounds = ConfidenceBounds(thresholds: thresholds, rules: rules)
  }

  /// - Parameter counts: of rows that were counted early.
  init(
    thresholds: [Double], rules: ClassLabelRules, counts: ClassMatrix<Int>, confidentIssues: Int
  ) {
    self.init(thresholds: thresholds, rules: rules)
    self.counts = counts
    self.confidentIssues = confidentIssues
  }

  /// The confident joint (the paper's eq. 1) as the rules have it: cleanlab's has at least 1 in each cell of the
  /// diagonal.
  public var confidentJoint: ClassMatrix<Int> {
    var joint = counts
    if rules == .cleanlab {
      for k in 0..<joint.classes { joint[k, k] = max(1, joint[k, k]) }
    }
    return joint
  }

  /// - Throws: `.labelOutOfRange`; probabilities are taken as `ClassStatistics` found them.
  /// - Precondition: `rows` have as many classes.
  public mutating func add(_ rows: LabelledRows) throws(ClassLabelError) {
    precondition(rows.classes == counts.classes, "\(rows.classes) classes, not \(counts.classes)")
    try rows.checkLabels()
    switch rows.probabilities {
    case .float32(let values): add(values, labels: rows.labels, bounds: bounds.float32)
    case .float64(let values): add(values, labels: rows.labels, bounds: bounds.float64)
    }
  }

  /// Counts a row.
  ///
  /// - Parameter isIssue: if its confident label isn't the given one.
  mutating func count(given: Int32, confident: Int32, isIssue: Bool) {
    counts[Int(given), Int(confident)] += 1
    if confident != given && isIssue { confidentIssues += 1 }
  }

  public mutating func merge(_ other: ConfidentCounts) {
    precondition(other.thresholds == thresholds && other.rules == rules, "other thresholds")
    counts.add(other.counts)
    confidentIssues += other.confidentIssues
  }

  private mutating func add<Scalar: ProbabilityScalar>(
    _ values: [Scalar], labels: [Int32], bounds: [Scalar]
  ) {
    values.withUnsafeBufferPointer { values in
      bounds.withUnsafeBufferPointer { bounds in
        let answers = RowAnswers(values, bounds: bounds, rules: rules)
        for (index, label) in labels.enumerated() {
          let given = Int(label)
          let confident = answers.confidentLabel(index)
          guard confident >= 0 else { continue }
          counts[given, confident] += 1
          guard confident != given else { continue }
          if rules == .paper || answers.prediction(index, label: given) != given {
            confidentIssues += 1
          }
        }
      }
    }
  }
}

/// For parts that are counted elsewhere.
extension ConfidentCounts: Codable {
  enum CodingKeys: String, CodingKey {
    case thresholds, rules, counts
    case formatVersion = "format_version"
    case confidentIssues = "confident_issues"
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    _ = try values.decode(FormatVersion<ClassLabelFormat>.self, forKey: .formatVersion)
    self.init(
      thresholds: try values.decode([Double].self, forKey: .thresholds),
      rules: try values.decode(ClassLabelRules.self, forKey: .rules))
    let cells = try values.decode([Int].self, forKey: .counts)
    confidentIssues = try values.decode(Int.self, forKey: .confidentIssues)
    guard thresholds.count >= 2, cells.count == thresholds.count * thresholds.count,
      (cells + [confidentIssues]).allSatisfy({ (0...countLimit).contains($0) })
    else {
      throw DecodingError.dataCorruptedError(
        forKey: .counts, in: values, debugDescription: "not a count for each pair of classes")
    }
    counts = ClassMatrix(classes: thresholds.count, values: cells)
  }

  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(FormatVersion<ClassLabelFormat>(), forKey: .formatVersion)
    try values.encode(thresholds, forKey: .thresholds)
    try values.encode(rules, forKey: .rules)
    try values.encode(counts.values, forKey: .counts)
    try values.encode(confidentIssues, forKey: .confidentIssues)
  }
}
