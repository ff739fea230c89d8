/// What the second and the third read can have from the first, when no threshold is known yet.
///
/// A class's threshold is guessed to lie in an interval around the mean of the rows so far. Most rows count for the same class
/// wherever in the intervals the thresholds are; of the others the probabilities that matter are kept. If the thresholds turn
/// out to lie where they were guessed, these are decided and there is no second read; if not, there is one: the counts are the
/// same either way.
public struct EarlyCounts: Sendable {
  /// For `IssueSelection`.
  public private(set) var margins: MarginCounts
  /// The first rows of the parts that came before anything could be guessed, and were left out.
  public private(set) var left: [Int] = []
  private let rules: ClassLabelRules
  private var counts: ClassMatrix<Int>
  private var confidentIssues = 0
  private var guess: ThresholdGuess
  private var undecided = Undecided()
  /// Those of parts that were merged; they aren't copied, and nothing is added to them.
  private var others: [Undecided] = []
  /// Whether too many rows were undecided.
  private var gaveUp = false

  private struct Undecided: Sendable {
    var rows: [Row] = []
    /// One row's after the other's.
    var candidates: [Candidate] = []
  }

  private struct Row: Sendable {
    var given: Int32
    var likeliest: Int32
    /// How many candidates it has.
    var candidates: Int32
    /// Whether it is an issue if it counts for another class than the given one.
    var mayBeIssue: Bool
  }

  /// A class that the row may pass.
  private struct Candidate: Sendable {
    var probability: Double
    var label: Int32
  }

  /// Candidates of a part at most, 16 bytes each.
  private static let limit = 1 << 19

  public init(classes: Int, rules: ClassLabelRules = .cleanlab) {
    self.rules = rules
    margins = MarginCounts(classes: classes)
    counts = ClassMatrix(classes: classes, repeating: 0)
    guess = ThresholdGuess(classes: classes)
  }

  /// - Parameters:
  ///   - rows: that `known` has checked.
  ///   - known: of all rows of this part so far, these included.
  public mutating func add(_ rows: LabelledRows, known: ClassStatistics) {
    let canGuess = guess.update(known)
    if !canGuess { left.append(rows.first) }
    switch rows.probabilities {
    case .float32(let values): add(values, rows.labels, counting: canGuess && !gaveUp)
    case .float64(let values): add(values, rows.labels, counting: canGuess && !gaveUp)
    }
    if undecided.candidates.count > Self.limit {
      gaveUp = true
      undecided = Undecided()
    }
  }

  public mutating func merge(_ other: EarlyCounts) {
    precondition(other.rules == rules, "other rules")
    margins.merge(other.margins)
    left += other.left
    counts.add(other.counts)
    confidentIssues += other.confidentIssues
    guess.merge(other.guess)
    others += other.others + [other.undecided]
    gaveUp = gaveUp || other.gaveUp
  }

  /// The counts of all rows that weren't left out, or nil if they must be read again.
  ///
  /// - Parameter thresholds: of the whole data set, `[K]`.
  public func confidentCounts(thresholds: [Double]) -> ConfidentCounts? {
    let bounds = ConfidenceBounds(thresholds: thresholds, rules: rules).float64
    guard !gaveUp, guess.holds(bounds) else { return nil }
    var result = ConfidentCounts(
      thresholds: thresholds, rules: rules, counts: counts, confidentIssues: confidentIssues)
    for undecided in others + [undecided] { decide(undecided, bounds, &result) }
    return result
  }

  private func decide(
    _ undecided: Undecided, _ bounds: [Double], _ result: inout ConfidentCounts
  ) {
    var start = 0
    for row in undecided.rows {
      let end = start + Int(row.candidates)
      var passed = 0
      var best = Candidate(probability: -1, label: row.given)
      for index in start..<end {
        let candidate = undecided.candidates[index]
        guard candidate.probability >= bounds[Int(candidate.label)] else { continue }
        passed += 1
        if candidate.probability > best.probability { best = candidate }
      }
      start = end
      if passed == 0 { continue }
      let confident = passed > 1 && rules == .cleanlab ? row.likeliest : best.label
      result.count(given: row.given, confident: confident, isIssue: row.mayBeIssue)
    }
  }

  private mutating func add<Scalar: ProbabilityScalar>(
    _ values: [Scalar], _ labels: [Int32], counting: Bool
  ) {
    let floors = [Scalar](repeating: Scalar(MarginCounts.least), count: guess.low.count)
    let low = guess.low.map { Scalar($0) }
    let high = guess.high.map { Scalar($0) }
    var reached = [Int32](repeating: 0, count: low.count)
    let isPaper = rules == .paper
    values.withUnsafeBufferPointer { values in
      low.withUnsafeBufferPointer { low in
        let answers = RowAnswers(values, bounds: low, rules: rules)
        for (index, label) in labels.enumerated() {
          let given = Int(label)
          let row = answers.row(index)
          if answers.disagrees(index, label: given) {
            floors.withUnsafeBufferPointer { margins.add(row, given: given, floors: $0) }
          }
          guard counting, answers.anyPasses(index) else { continue }
          let k = answers.likeliest(index)
          if k >= 0, row[k] >= high[k] {
            counts[given, k] += 1
            if k != given, isPaper || answers.prediction(index, label: given) != given {
              confidentIssues += 1
            }
            continue
          }
          guard let first = row.baseAddress, let bound = low.baseAddress else { continue }
          let found = Scalar.reachingClasses(
            first, classes: low.count, given: 0, floors: bound, into: &reached)
          for label in reached[..<found] {
            undecided.candidates.append(
              Candidate(probability: Double(row[Int(label)]), label: label))
          }
          undecided.rows.append(
            Row(
              given: label, likeliest: Int32(k >= 0 ? k : PlainRow.likeliest(row)),
              candidates: Int32(found),
              mayBeIssue: isPaper || answers.prediction(index, label: given) != given))
        }
        margins.count()
      }
    }
  }
}
