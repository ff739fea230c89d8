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
  /// What a margin must reach to enter the cells of `byNoiseRate`, `[K, K]`; only those of the rows' own type are used.
  private var floors32: [Float] = []
  private var floors64: [Double] = []
  /// By given class: the lowest self-confidence. The whole data set is one class for the filters by a low score.
  private var byScore: BestOf
  /// Flagged whatever the others are.
  private var flagged: [LabelIssue] = []

  /// - Parameters:
  ///   - model: of the whole data set.
  ///   - margins: `EarlyCounts.margins`, if they were counted.
  /// - Throws: `.parameter`.
  public init(
    _ model: ClassNoiseModel, options: LabelIssueOptions, margins: MarginCounts? = nil
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
    floors64 = cells.enumerated().map { cell, room in
      room == 0 ? .infinity : margins?.floor(cell, room: room) ?? -.infinity
    }
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
      add(values, rows, bounds: bounds.float32, floors: &floors)
      floors32 = floors
    case .float64(let values):
      var floors = floors64
      floors64 = []
      add(values, rows, bounds: bounds.float64, floors: &floors)
      floors64 = floors
    }
  }

  public mutating func merge(_ other: IssueSelection) {
    byNoiseRate.merge(other.byNoiseRate)
    byScore.merge(other.byScore)
    flagged += other.flagged
    for cell in floors64.indices {
      floors64[cell] = max(floors64[cell], other.floors64[cell], byNoiseRate.floor(cell))
      floors32[cell] = max(floors32[cell], other.floors32[cell], Float(floors64[cell]))
    }
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
    found = sortedByQuality(found)
    // An example may be in several cells.
    var last = -1
    found.removeAll { issue in
      defer { last = issue.row }
      return issue.row == last
    }
    return found
  }

  private mutating func add<Scalar: ProbabilityScalar>(
    _ values: [Scalar], _ rows: LabelledRows, bounds: [Scalar], floors: inout [Scalar]
  ) {
    values.withUnsafeBufferPointer { values in
      bounds.withUnsafeBufferPointer { bounds in
        switch options.filter {
        case .pruneByNoiseRate: prune(values, rows, bounds, &floors)
        case .pruneByClass: offerLow(values, rows, bounds) { $0 }
        case .both:
          prune(values, rows, bounds, &floors)
          offerLow(values, rows, bounds) { $0 }
        case .lowNormalizedMargin, .lowSelfConfidence: offerLow(values, rows, bounds) { _ in 0 }
        case .confidentLearning, .predictedNeqGiven: flag(values, rows, bounds)
        }
      }
    }
  }

  /// Offers rows to the cells whose floor they may reach. Most reach none, and the others few: some rows at a time are looked
  /// at as a whole, then the classes of those that are left, by the floors as they are by then.
  private mutating func prune<Scalar: ProbabilityScalar>(
    _ values: UnsafeBufferPointer<Scalar>, _ rows: LabelledRows,
    _ bounds: UnsafeBufferPointer<Scalar>, _ floors: inout [Scalar]
  ) {
    guard let first = values.baseAddress else { return }
    let classes = rows.classes
    let atOnce = 64
    var reaching = [Int32](repeating: 0, count: atOnce)
    var reached = [Int32](repeating: 0, count: classes)
    var offers: [(cell: Int, entry: BestOf.Entry)] = []
    rows.labels.withUnsafeBufferPointer { labels in
      floors.withUnsafeMutableBufferPointer { floors in
        guard let label = labels.baseAddress, let floor = floors.baseAddress else { return }
        for start in stride(from: 0, to: labels.count, by: atOnce) {
          let count = Scalar.reachingRows(
            first + start * classes, rows: min(atOnce, labels.count - start), classes: classes,
            labels: label + start, floors: floor, into: &reaching)
          for index in reaching[..<count].lazy.map({ start + Int($0) }) {
            let row = UnsafeBufferPointer(start: first + index * classes, count: classes)
            let given = Int(labels[index])
            let found = Scalar.reachingClasses(
              first + index * classes, classes: classes, given: row[given],
              floors: floor + given * classes, into: &reached)
            if found == 0 { continue }
            let issue = issue(row, given, rows.first + index, bounds)
            for actual in reached[..<found].lazy.map({ Int($0) }) {
              let key = Double(row[actual]) - Double(row[given])
              offers.append((given * classes + actual, BestOf.Entry(key: key, issue: issue)))
            }
          }
          if offers.count >= 256 { offer(&offers, floors) }
        }
        offer(&offers, floors)
      }
    }
  }

  /// Many at a time: each cell is waited for when the cache doesn't hold it, those of a loop together.
  private mutating func offer<Scalar: ProbabilityScalar>(
    _ offers: inout [(cell: Int, entry: BestOf.Entry)],
    _ floors: UnsafeMutableBufferPointer<Scalar>
  ) {
    for (cell, entry) in offers where byNoiseRate.offer(entry, to: cell) {
      floors[cell] = max(floors[cell], Scalar(byNoiseRate.floor(cell)))
    }
    offers.removeAll(keepingCapacity: true)
  }

  /// Offers rows, each to one cell, for their low score.
  private mutating func offerLow<Scalar: ProbabilityScalar>(
    _ values: UnsafeBufferPointer<Scalar>, _ rows: LabelledRows,
    _ bounds: UnsafeBufferPointer<Scalar>, cell: (Int) -> Int
  ) {
    let classes = rows.classes
    for (index, label) in rows.labels.enumerated() {
      let row = UnsafeBufferPointer(rebasing: values[index * classes..<(index + 1) * classes])
      let cell = cell(Int(label))
      let key = -filterScorer.score(row, label: Int(label))
      guard key >= byScore.floor(cell) else { continue }
      let issue = issue(row, Int(label), rows.first + index, bounds)
      byScore.offer(BestOf.Entry(key: key, issue: issue), to: cell)
    }
  }

  /// Takes the rows that are issues by themselves.
  private mutating func flag<Scalar: ProbabilityScalar>(
    _ values: UnsafeBufferPointer<Scalar>, _ rows: LabelledRows,
    _ bounds: UnsafeBufferPointer<Scalar>
  ) {
    let answers = RowAnswers(values, bounds: bounds, rules: model.rules)
    let isConfident = options.filter == .confidentLearning
    for (index, label) in rows.labels.enumerated() {
      let given = Int(label)
      if isConfident {
        let confident = answers.confidentLabel(index)
        if confident < 0 || confident == given { continue }
      }
      let predicted = answers.prediction(index, label: given)
      if predicted == given, !(isConfident && model.rules == .paper) { continue }
      flagged.append(
        LabelIssue(
          row: rows.first + index, label: label, predicted: Int32(predicted),
          quality: scorer.score(answers.row(index), label: given)))
    }
  }

  private mutating func issue<Scalar: ProbabilityScalar>(
    _ row: UnsafeBufferPointer<Scalar>, _ given: Int, _ number: Int,
    _ bounds: UnsafeBufferPointer<Scalar>
  ) -> LabelIssue {
    LabelIssue(
      row: number, label: Int32(given),
      predicted: Int32(
        RowAnswers.prediction(row, label: given, bounds: bounds, rules: model.rules)),
      quality: scorer.score(row, label: given))
  }
}
