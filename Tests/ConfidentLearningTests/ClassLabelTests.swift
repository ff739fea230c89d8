import Foundation
import Testing

@testable import ConfidentLearning

/// Labels with noise, and rows of probabilities with ties.
struct NoisyLabels {
  var classes: Int
  var labels: [Int32] = []
  var probabilities: [Double] = []

  init(rows: Int, classes: Int, noise: Double = 0.2, seed: UInt64 = 1, steps: Double? = nil) {
    self.classes = classes
    var random = SplitMix64(state: seed)
    func unit() -> Double { Double(random.next() >> 11) * 0x1p-53 }
    for _ in 0..<rows {
      let truth = Int(unit() * Double(classes))
      labels.append(Int32(unit() < noise ? Int(unit() * Double(classes)) : truth))
      var row = (0..<classes).map { exp(3 * unit() + ($0 == truth ? 2 : 0)) }
      let sum = row.reduce(0, +)
      row = row.map { $0 / sum }
      if let steps { row = row.map { ($0 * steps).rounded() / steps } }
      probabilities += row
    }
  }

  func rows(_ range: Range<Int>? = nil, float32: Bool = false) throws -> LabelledRows {
    let range = range ?? 0..<labels.count
    let values = Array(probabilities[range.lowerBound * classes..<range.upperBound * classes])
    return try LabelledRows(
      first: range.lowerBound, classes: classes, labels: Array(labels[range]),
      probabilities: float32 ? .float32(values.map { Float($0) }) : .float64(values))
  }
}

@Suite struct ClassLabelTests {
  @Test(arguments: LabelIssueFilter.allCases, ClassLabelRules.allCases)
  func anySplitInAnyOrderIsTheSameAsInMemory(filter: LabelIssueFilter, rules: ClassLabelRules)
    throws
  {
    for (steps, float32) in [(nil, false), (8.0, false), (nil, true), (8.0, true)] {
      let data = NoisyLabels(rows: 600, classes: 7, steps: steps)
      var options = LabelIssueOptions()
      options.filter = filter
      options.rules = rules
      let whole = try LabelIssues.find(data.rows(float32: float32), options: options)
      #expect(whole.issues.count > 10)
      for size in [1, 17, 599] {
        var parts = try stride(from: 0, to: 600, by: size).map {
          try data.rows($0..<min($0 + size, 600), float32: float32)
        }
        parts.reverse()
        func read<Part>(
          _ empty: Part, _ add: (inout Part, LabelledRows) throws -> Void,
          _ merge: (inout Part, Part) -> Void
        ) rethrows -> Part {
          var lanes = [empty, empty, empty]
          for (index, part) in parts.enumerated() { try add(&lanes[index % 3], part) }
          merge(&lanes[2], lanes[0])
          merge(&lanes[2], lanes[1])
          return lanes[2]
        }
        let statistics = try read(
          ClassStatistics(classes: 7), { try $0.add($1) }, { $0.merge($1) })
        let confident = try read(
          ConfidentCounts(thresholds: statistics.thresholds(rules), rules: rules),
          { try $0.add($1) }, { $0.merge($1) })
        let model = ClassNoiseModel(statistics, confident)
        #expect(model == whole.model)
        // Floors known beforehand, from all rows or from some, select nothing else.
        var early = EarlyCounts(classes: 7, rules: rules)
        for part in parts.prefix(1 + parts.count / 3) { early.add(part, known: statistics) }
        let some = early.margins
        for part in parts.dropFirst(1 + parts.count / 3) { early.add(part, known: statistics) }
        for margins in [nil, some, early.margins] {
          let selection = try read(
            IssueSelection(model, options: options, margins: margins), { try $0.add($1) },
            { $0.merge($1) })
          #expect(selection.issues == whole.issues)
        }
      }
    }
  }

  @Test func thresholdsAreExactMeansOfAnyOrder() throws {
    // 0.1 a thousand times is not 100 in floating point.
    let labels = [Int32](repeating: 0, count: 1000)
    let rows = try LabelledRows(
      classes: 2, labels: labels,
      probabilities: .float64((0..<1000).flatMap { _ in [0.1, 0.9] }))
    var statistics = ClassStatistics(classes: 2)
    try statistics.add(rows)
    #expect(statistics.thresholds() == [0.1, 2])
  }

  @Test func statisticsComeBackEqualFromJSON() throws {
    let rows = try NoisyLabels(rows: 50, classes: 3).rows()
    var statistics = ClassStatistics(classes: 3)
    try statistics.add(rows)
    var counts = ConfidentCounts(thresholds: statistics.thresholds(.paper), rules: .paper)
    try counts.add(rows)
    let data = try JSONEncoder().encode(statistics)
    #expect(try JSONDecoder().decode(ClassStatistics.self, from: data) == statistics)
    let cells = try JSONEncoder().encode(counts)
    #expect(try JSONDecoder().decode(ConfidentCounts.self, from: cells) == counts)
    for bad in [
      #"{"format_version":1,"counts":[1,2],"self_confidence":[[0,0]]}"#,
      #"{"format_version":1,"counts":[1,-2],"self_confidence":[[0,0],[0,0]]}"#,
      #"{"format_version":9,"counts":[1,2],"self_confidence":[[0,0],[0,0]]}"#,
    ] {
      #expect(throws: DecodingError.self) {
        try JSONDecoder().decode(ClassStatistics.self, from: Data(bad.utf8))
      }
    }
  }

  /// Three classes with thresholds 0.5, 0.3 and 0.2; the row passes the last two, and its likeliest class is the first.
  @Test func thePaperTakesTheLikeliestPassedClassCleanlabTheLikeliestOfAll() throws {
    let row = [0.4, 0.35, 0.25]
    let thresholds = [0.5, 0.3, 0.2]
    func cell(_ rules: ClassLabelRules) throws -> ClassMatrix<Int> {
      var counts = ConfidentCounts(thresholds: thresholds, rules: rules)
      try counts.add(LabelledRows(classes: 3, labels: [2], probabilities: .float64(row)))
      return counts.counts
    }
    #expect(try cell(.cleanlab)[2, 0] == 1)
    #expect(try cell(.paper)[2, 1] == 1)
  }

  @Test func thePaperLeavesTheJointUnroundedAndSumsToTheLabels() throws {
    let data = NoisyLabels(rows: 301, classes: 4)
    var options = LabelIssueOptions()
    options.rules = .paper
    let model = try LabelIssues.find(data.rows(), options: options).model
    #expect(abs(model.calibratedJoint.sum - 301) < 1e-9)
    #expect(model.calibratedJoint.values.contains { $0 != $0.rounded() })
    for (sum, count) in zip(model.calibratedJoint.rowSums, model.labelCounts) {
      #expect(abs(sum - Double(count)) < 1e-9)
    }
  }

  @Test func roundingKeepsTheSum() {
    #expect(roundedPreservingSum([0.5, 0.5, 0.5, 1.5]) == [0, 0, 1, 2])
    #expect(roundedPreservingSum([1.4, 1.4, 0.2]) == [1, 2, 0])
    #expect(roundedPreservingSum([0.6, 0.6, 0.8]) == [0, 1, 1])
    #expect(roundedPreservingSum([]) == [])
  }

  @Test func noNoiseIsFoundInLabelsThatTheModelAgreesWith() throws {
    let data = NoisyLabels(rows: 400, classes: 5, noise: 0)
    var sure = data
    sure.probabilities = data.labels.flatMap { label in
      (0..<5).map { $0 == Int(label) ? 0.9 : 0.025 }
    }
    for filter in LabelIssueFilter.allCases {
      var options = LabelIssueOptions()
      options.filter = filter
      #expect(try LabelIssues.find(sure.rows(), options: options).issues.isEmpty)
    }
  }

  @Test func whatIsNoProbabilityOrNoClassIsNamedWithItsPlace() throws {
    for (value, float32) in [(Double.nan, false), (1.1, true), (-0.5, false), (.infinity, true)] {
      var data = NoisyLabels(rows: 10, classes: 3)
      data.probabilities[7 * 3 + 1] = value
      let error = #expect(throws: ClassLabelError.self) {
        try LabelIssues.find(data.rows(float32: float32))
      }
      #expect("\(try #require(error))".contains("row 7, column 1"))
    }
    var data = NoisyLabels(rows: 10, classes: 3)
    data.labels[4] = 3
    #expect(throws: ClassLabelError.labelOutOfRange(row: 4, label: 3, classes: 3)) {
      try LabelIssues.find(data.rows())
    }
    // Rounding may push a probability a little beyond its range.
    data.labels[4] = 2
    data.probabilities[0] = 1.0000001
    #expect(throws: Never.self) { try LabelIssues.find(data.rows()) }
  }

  @Test func optionsThatDoNotFitAreRefused() throws {
    let rows = try NoisyLabels(rows: 10, classes: 3).rows()
    var options = LabelIssueOptions()
    options.removedPerClass = [1, 2]
    #expect(throws: ClassLabelError.self) { try LabelIssues.find(rows, options: options) }
    options.removedPerClass = [1, 2, 0]
    options.filter = .confidentLearning
    #expect(throws: ClassLabelError.self) { try LabelIssues.find(rows, options: options) }
    options.removedPerClass = nil
    options.fractionOfNoise = 0.5
    #expect(throws: ClassLabelError.self) { try LabelIssues.find(rows, options: options) }
    #expect(throws: ClassLabelError.tooFewClasses(found: 1)) {
      try LabelledRows(classes: 1, labels: [0], probabilities: .float64([1]))
    }
  }

  /// Counts of them would be beyond what a number holds.
  @Test func numbersBeyondAllMeasureAreRefused() throws {
    var options = LabelIssueOptions()
    for fraction in [0, 1, 1e6] as [Double] {
      options.fractionOfNoise = fraction
      #expect(throws: Never.self) { try options.check(classes: 3) }
    }
    for fraction in [1e30, 1_000_001, -0.1, .nan, .infinity] as [Double] {
      options.fractionOfNoise = fraction
      let error = #expect(throws: ClassLabelError.self) { try options.check(classes: 3) }
      #expect("\(try #require(error))".contains("the fraction of noise"))
    }
    options.fractionOfNoise = 1
    options.minimumPerClass = 1 << 40
    #expect(throws: Never.self) { try options.check(classes: 3) }
    for minimum in [Int.max, (1 << 40) + 1, -1] {
      options.minimumPerClass = minimum
      let error = #expect(throws: ClassLabelError.self) { try options.check(classes: 3) }
      #expect("\(try #require(error))".contains("the minimum per class"))
    }
  }

  @Test func anEmptyDataSetHasNoIssues() throws {
    let rows = try LabelledRows(classes: 3, labels: [], probabilities: .float32([]))
    #expect(try LabelIssues.find(rows).issues.isEmpty)
  }
}
