import Testing

@testable import ConfidentLearning

@Suite struct EarlyCountsTests {
  /// What two workers count in one read of parts of 100 rows, and what a second read counts.
  private func read(
    _ data: NoisyLabels, rules: ClassLabelRules, float32: Bool
  ) throws -> (early: EarlyCounts, counts: ConfidentCounts?, expected: ConfidentCounts) {
    let count = data.labels.count
    let empty = (
      ClassStatistics(classes: data.classes), EarlyCounts(classes: data.classes, rules: rules)
    )
    var workers = [empty, empty]
    for (index, start) in stride(from: 0, to: count, by: 100).enumerated() {
      let rows = try data.rows(start..<min(start + 100, count), float32: float32)
      try workers[index % 2].0.add(rows)
      workers[index % 2].1.add(rows, known: workers[index % 2].0)
    }
    workers[0].0.merge(workers[1].0)
    workers[0].1.merge(workers[1].1)
    let (statistics, early) = workers[0]
    let thresholds = statistics.thresholds(rules)
    var expected = ConfidentCounts(thresholds: thresholds, rules: rules)
    for start in stride(from: 0, to: count, by: 100) where !early.left.contains(start) {
      try expected.add(data.rows(start..<min(start + 100, count), float32: float32))
    }
    return (early, early.confidentCounts(thresholds: thresholds), expected)
  }

  @Test(arguments: ClassLabelRules.allCases, [true, false])
  func whatIsCountedEarlyIsWhatASecondReadCounts(rules: ClassLabelRules, float32: Bool) throws {
    for (classes, steps) in [(2, nil), (5, nil), (5, 8), (20, nil), (20, 16)] as [(Int, Double?)] {
      let data = NoisyLabels(rows: 4000, classes: classes, seed: 11, steps: steps)
      let (early, counts, expected) = try read(data, rules: rules, float32: float32)
      #expect(early.left.count < 10)
      #expect(try #require(counts) == expected)
      #expect(expected.confidentIssues > 0)
    }
  }

  @Test func rareClassesAndOnesThatAreNeverGivenAreCountedToo() throws {
    var data = NoisyLabels(rows: 4000, classes: 6, seed: 12)
    for row in data.labels.indices where data.labels[row] >= 4 && row != 3333 {
      data.labels[row] = 1
    }
    data.labels[3333] = 4
    // As sure as others are; a rare class whose examples are all in doubt takes a second read.
    for k in 0..<6 { data.probabilities[3333 * 6 + k] = k == 4 ? 0.5 : 0.1 }
    let (_, counts, expected) = try read(data, rules: .cleanlab, float32: true)
    #expect(try #require(counts) == expected)
  }

  @Test func thresholdsThatWereGuessedWrongAreRefused() throws {
    // A model that is sure of the first half and in doubt about the second.
    var data = NoisyLabels(rows: 4000, classes: 5, seed: 13)
    for row in 0..<2000 {
      for k in 0..<5 { data.probabilities[row * 5 + k] = k == Int(data.labels[row]) ? 0.96 : 0.01 }
    }
    #expect(try read(data, rules: .cleanlab, float32: true).counts == nil)
  }

  @Test func dataSortedByLabelAreCountedAsTheyAreOrRefused() throws {
    var data = NoisyLabels(rows: 4000, classes: 5, seed: 14)
    let order = data.labels.indices.sorted { (data.labels[$0], $0) < (data.labels[$1], $1) }
    data.probabilities = order.flatMap { data.probabilities[$0 * 5..<$0 * 5 + 5] }
    data.labels = order.map { data.labels[$0] }
    let (_, counts, expected) = try read(data, rules: .cleanlab, float32: false)
    if let counts { #expect(counts == expected) }
  }
}
