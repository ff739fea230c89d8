import Testing

@testable import ConfidentLearning

/// Fast against plain, over widths below, at and beside those of vectors, with ties and zeros.
@Suite struct RowKernelTests {
  static let widths = [2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 100]

  @Test(arguments: widths)
  func kernelsComputeWhatIsSaidPlainly(classes: Int) throws {
    for (steps, seed) in [(nil, 3), (4, 4), (1, 5)] as [(Double?, UInt64)] {
      let data = NoisyLabels(rows: 200, classes: classes, seed: seed, steps: steps)
      var statistics = ClassStatistics(classes: classes)
      try statistics.add(data.rows())
      for rules in ClassLabelRules.allCases {
        let bounds = ConfidenceBounds(thresholds: statistics.thresholds(rules), rules: rules)
        compare(data.probabilities, bounds.float64, data, rules)
        compare(data.probabilities.map { Float($0) }, bounds.float32, data, rules)
        // Rows without any positive probability, as rounding may leave them.
        let none = data.probabilities.map { $0 > 0.3 ? -1e-9 : 0 }
        compare(none, bounds.float64, data, rules)
        compare(none.map { Float($0) }, bounds.float32.map { _ in 0 }, data, rules)
      }
    }
  }

  private func compare<Scalar: ProbabilityScalar>(
    _ values: [Scalar], _ bounds: [Scalar], _ data: NoisyLabels, _ rules: ClassLabelRules
  ) {
    values.withUnsafeBufferPointer { values in
      bounds.withUnsafeBufferPointer { bounds in
        let answers = RowAnswers(values, bounds: bounds, rules: rules)
        for (index, label) in data.labels.enumerated() {
          let row = answers.row(index)
          let given = Int(label)
          #expect(
            answers.confidentLabel(index)
              == PlainRow.confidentLabel(row, bounds: bounds, rules: rules))
          let predicted = PlainRow.prediction(row, label: given, margin: rules.agreementMargin)
          #expect(answers.prediction(index, label: given) == predicted)
          #expect(
            RowAnswers.prediction(row, label: given, bounds: bounds, rules: rules) == predicted)
          let best = PlainRow.likeliest(row)
          #expect(answers.disagrees(index, label: given) == (row[best] > 0 && best != given))
        }
      }
    }
  }

  @Test(arguments: widths)
  func reachingRowsAndClassesAreThoseSaidPlainly(classes: Int) {
    let data = NoisyLabels(rows: 300, classes: classes, steps: 16)
    var random = SplitMix64(state: 9)
    // From hardly ever reached to mostly, at steps where margins and floors are often equal.
    for high in [16.0, 4, 0] {
      let floors = (0..<classes * classes).map { _ in
        (high - Double(random.next() % 8)) / 16
      }
      reach(data.probabilities, floors, data)
      reach(data.probabilities.map { Float($0) }, floors.map { Float($0) }, data)
    }
  }

  private func reach<Scalar: ProbabilityScalar>(
    _ values: [Scalar], _ floors: [Scalar], _ data: NoisyLabels
  ) {
    let classes = data.classes
    var found = [Int32](repeating: 0, count: max(data.labels.count, classes))
    var plain: [Int32] = []
    for (index, label) in data.labels.enumerated() {
      let row = Array(values[index * classes..<(index + 1) * classes])
      let floors = Array(floors[Int(label) * classes..<(Int(label) + 1) * classes])
      let expected = row.withUnsafeBufferPointer { row in
        floors.withUnsafeBufferPointer {
          PlainRow.reachingClasses(row, given: row[Int(label)], floors: $0)
        }
      }
      let count = Scalar.reachingClasses(
        row, classes: classes, given: row[Int(label)], floors: floors, into: &found)
      #expect(found[..<count].map { Int($0) } == expected)
      if !expected.isEmpty { plain.append(Int32(index)) }
    }
    let count = Scalar.reachingRows(
      values, rows: data.labels.count, classes: classes, labels: data.labels, floors: floors,
      into: &found)
    #expect(Array(found[..<count]) == plain)
  }

  @Test func onlyProbabilitiesAreSurelySome() {
    for (value, are) in [
      (0, true), (1, true), (-0.0, false), (1.0000001, false), (-1e-30, false), (.nan, false),
      (-.nan, false), (.infinity, false), (-.infinity, false),
    ] as [(Float, Bool)] {
      for place in [0, 15, 16, 40, 66] {
        var values = [Float](repeating: 0.5, count: 67)
        values[place] = value
        #expect(Float.areSurelyProbabilities(values, 67) == are)
        #expect(Double.areSurelyProbabilities(values.map { Double($0) }, 67) == are)
      }
    }
  }

  @Test func theRadixSortIsTheSortOfQualitiesAndRows() {
    var random = SplitMix64(state: 3)
    let issues = (0..<5000).map { _ in
      LabelIssue(
        row: Int(random.next() % 3000) << 20, label: 0, predicted: 0,
        quality: [0, -0.0, 1, -2.5, Double(random.next() % 64) / 16 - 2].randomElement(
          using: &random)!)
    }
    let sorted = issues.sorted { ($0.quality, $0.row) < ($1.quality, $1.row) }
    #expect(sortedByQuality(issues) == sorted)
    #expect(
      sortedByQuality(Array(issues.prefix(50)))
        == sortedByQuality(issues.prefix(50).sorted { $0.row < $1.row }))
  }
}
