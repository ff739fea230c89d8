/// The third read: which examples are flagged.
///
/// Selections of parts merge exactly, in any order and any split. Memory: K^2 and the candidates.
public struct IssueSelection: Sendable {
  private let model: ClassNoiseModel
  private let options: LabelIssueOptions
  private let bounds: ConfidenceBounds
  private var scorer: QualityScorer
  /// What a low score flags is scored by.
  private var filterScorer: QualityScorer
  /// By given and true class: the largest margins.
  private var byNoiseRate: BestOf
  /// The worst margins in the cells of `byNoiseRate`, `[K, K]`; only those of the rows' own type are used.
  private var floors32: [Float] = []
  private var floors64: [Double] = []
  /// By given class: the lowest self-confidence. The whole data set is one class for the filters by a low score.
  private var byScore: BestOf
  /// Flagged whatever the others are.
  private var flagged: [LabelIssue] = []

  /// - Parameter model: of the whole data set.
  /// - Throws: `.parameter`.
  public init(
    _ model: ClassNoiseModel, options: LabelIssueOptions
  ) throws(ClassLabelError) {
    let classes = model.labelCounts.count
    try options.check(classes: classes)
    self.model = model
    self.options = options
    bounds = ConfidenceBounds(thresholds: model.thresholds, rules: model.rules)
    scorer = QualityScorer(
      options.rank, classes: classes, adjustment: options.adjustsRank ? model.thresholds : nil)
    filterScorer = QualityScorer(
      options.filter == .lowNormalizedMargin ? .normalizedMargin : .selfConfidence,
      classes: classes, adjustment: nil)
    var cells: [Int] = []
    var lowest: [Int] = []
    if options.filter.prunes {
      let counts = PruneCounts(model, options: options)
      let given = model.labelCounts
      if options.filter != .pruneByClass {
        cells = counts.byNoiseRate.values.enumerated().map { min(max($1, 0), given[$0 / classes]) }
      }
      if options.filter != .pruneByNoiseRate {
        lowest = counts.byClass.enumerated().map { min(max($1, 0), given[$0]) }
      }
    } else if options.filter == .lowSelfConfidence || options.filter == .lowNormalizedMargin {
      lowest = [model.confidentIssues]
    }
    byNoiseRate = BestOf(room: cells)
    byScore = BestOf(room: lowest)
    floors64 = cells.indices.map { byNoiseRate.floor($0) }
    floors32 = floors64.map { Float($0) }
  }

  /// - Throws: `.labelOutOfRange`; probabilities are taken as `ClassStatistics` found them.
  /// - Precondition: `rows` have as many classes.
  public mutating func add(_ rows: LabelledRows) throws(ClassLabelError) {
    precondition(rows.classes == model.labelCounts.count, "\(rows.classes) classes")
    try rows.checkLabels()
    switch rows.probabilities {
    case .float32(let values):
      var floors = floors32
      floors32 = []
      floors.withUnsafeMutableBufferPointer {
        add(values, rows, bounds: bounds.float32, floors: $0)
      }
      floors32 = floors
    case .float64(let values):
      var floors = floors64
      floors64 = []
      floors.withUnsafeMutableBufferPointer {
        add(values, rows, bounds: bounds.float64, floors: $0)
      }
      floors64 = floors
    }
  }

  public mutating func merge(_ other: IssueSelection) {
    byNoiseRate.merge(other.byNoiseRate)
    byScore.merge(other.byScore)
    flagged += other.flagged
    for cell in floors64.indices { floors64[cell] = byNoiseRate.floor(cell) }
    floors32 = floors64.map { Float($0) }
  }

  /// The flagged examples, the worst first; equal ones by row.
  public var issues: [LabelIssue] {
    var found: [LabelIssue]
    switch options.filter {
    case .pruneByNoiseRate: found = byNoiseRate.issues
    case .pruneByClass, .lowNormalizedMargin, .lowSelfConfidence: found = byScore.issues
    case .both:
      let rows = Set(byScore.issues.lazy.map(\.row))
      found = byNoiseRate.issues.filter { rows.contains($0.row) }
    case .confidentLearning, .predictedNeqGiven: found = flagged
    }
    let isLowScore = [.lowNormalizedMargin, .lowSelfConfidence].contains(options.filter)
    if model.rules == .cleanlab && !isLowScore { found.removeAll { $0.predicted == $0.label } }
    found.sort { ($0.quality, $0.row) < ($1.quality, $1.row) }
    // An example may be in several cells.
    var last = -1
    found.removeAll { issue in
      defer { last = issue.row }
      return issue.row == last
    }
    return found
  }

  private mutating func add<Scalar: ProbabilityScalar>(
    _ values: [Scalar], _ rows: LabelledRows, bounds: [Scalar],
    floors: UnsafeMutableBufferPointer<Scalar>
  ) {
    let classes = rows.classes
    values.withUnsafeBufferPointer { values in
      bounds.withUnsafeBufferPointer { bounds in
        for (index, label) in rows.labels.enumerated() {
          let row = UnsafeBufferPointer(
            rebasing: values[index * classes..<(index + 1) * classes])
          let given = Int(label)
          let number = rows.first + index
          switch options.filter {
          case .pruneByNoiseRate: prune(row, given, number, floors)
          case .pruneByClass: offerLow(row, given, number, cell: given)
          case .both:
            prune(row, given, number, floors)
            offerLow(row, given, number, cell: given)
          case .lowNormalizedMargin, .lowSelfConfidence: offerLow(row, given, number, cell: 0)
          case .confidentLearning:
            let confident = RowKernels.confidentLabel(
              row, bounds: bounds, label: given, rules: model.rules)
            guard confident >= 0, confident != given else { continue }
            let issue = issue(row, given, number)
            if issue.predicted != label || model.rules == .paper { flagged.append(issue) }
          case .predictedNeqGiven:
            let issue = issue(row, given, number)
            if issue.predicted != label { flagged.append(issue) }
          }
        }
      }
    }
  }

  /// Offers the row to the cells whose floor it may reach.
  @inline(__always)
  private mutating func prune<Scalar: ProbabilityScalar>(
    _ row: UnsafeBufferPointer<Scalar>, _ given: Int, _ number: Int,
    _ allFloors: UnsafeMutableBufferPointer<Scalar>
  ) {
    let classes = row.count
    let floors = UnsafeMutableBufferPointer(
      rebasing: allFloors[given * classes..<(given + 1) * classes])
    let confidence = row[given]
    var issue: LabelIssue?
    // Most rows reach no floor, and the others few: blocks are looked at as a whole, then their columns.
    for start in stride(from: 0, to: classes, by: 32) {
      let block = start..<min(start + 32, classes)
      guard RowKernels.mayReach(row, block, floors: floors, given: confidence) else { continue }
      for actual in block where row[actual] - confidence >= floors[actual] {
        let entry = BestOf.Entry(
          key: Double(row[actual]) - Double(confidence),
          issue: issue ?? self.issue(row, given, number))
        issue = entry.issue
        let cell = given * classes + actual
        if byNoiseRate.offer(entry, to: cell) { floors[actual] = Scalar(byNoiseRate.floor(cell)) }
      }
    }
  }

  @inline(__always)
  private mutating func offerLow<Scalar: ProbabilityScalar>(
    _ row: UnsafeBufferPointer<Scalar>, _ given: Int, _ number: Int, cell: Int
  ) {
    let key = -filterScorer.score(row, label: given)
    guard key >= byScore.floor(cell) else { return }
    byScore.offer(BestOf.Entry(key: key, issue: issue(row, given, number)), to: cell)
  }

  private mutating func issue<Scalar: ProbabilityScalar>(
    _ row: UnsafeBufferPointer<Scalar>, _ given: Int, _ number: Int
  ) -> LabelIssue {
    let predicted = RowKernels.prediction(row, label: given, margin: model.rules.agreementMargin)
    return LabelIssue(
      row: number, label: Int32(given), predicted: Int32(predicted),
      quality: scorer.score(row, label: given))
  }
}
