import Testing

@testable import Reports

@Suite struct TextClassificationTests {
  @Test func accuracyAndMacroF1() throws {
    // scikit-learn: f1_score([0, 0, 1, 1, 2], [0, 1, 1, 1, 0], average="macro") = (0.5 + 0.8 + 0) / 3
    let (truth, predicted) = ([0, 0, 1, 1, 2], [0, 1, 1, 1, 0])
    #expect(ClassificationMetrics.accuracy(predicted: predicted, truth: truth) == 0.6)
    let f1 = try #require(ClassificationMetrics.macroF1(predicted: predicted, truth: truth))
    #expect(abs(f1 - 1.3 / 3) < 1e-12)
    // A class that is only predicted counts too.
    #expect(ClassificationMetrics.macroF1(predicted: [0, 1], truth: [0, 0]) == 1.0 / 3)
    #expect(ClassificationMetrics.accuracy(predicted: [], truth: []) == nil)
    #expect(ClassificationMetrics.macroF1(predicted: [], truth: []) == nil)
  }

  @Test func lbfgsFindsTheMinimumOfABadlyScaledBowl() {
    let scales = [1.0, 100, 10_000]
    let end = LBFGS().minimise(from: [5, 5, 5]) { x, slope in
      var value = 0.0
      for i in 0..<3 {
        value += scales[i] * (x[i] - Double(i)) * (x[i] - Double(i)) / 2
        slope[i] = scales[i] * (x[i] - Double(i))
      }
      return value
    }
    for i in 0..<3 { #expect(abs(end[i] - Double(i)) < 1e-5) }
  }

  @Test func logisticRegressionFindsTheKnownOptimum() {
    // One column at -1 and 1, one wrong label of four a side: without penalty the optimum has P(right side) = 3/4.
    let x = Embeddings(rows: 8, columns: 1, values: [-1, -1, -1, -1, 1, 1, 1, 1])
    let probe = LogisticRegression(
      x, labels: [0, 0, 0, 1, 1, 1, 1, 0], classes: 2, strength: 1e6)
    #expect(probe.predict(x) == [0, 0, 0, 0, 1, 1, 1, 1])
    let odds = probe.logits(of: x)
    #expect(abs(odds[1] - odds[0] + 1.0986) < 1e-3)
    #expect(abs(odds[15] - odds[14] - 1.0986) < 1e-3)
  }

  @Test func aStrongPenaltyLeavesThePriors() {
    let x = Embeddings(rows: 4, columns: 1, values: [-1, 1, 1, 1])
    let probe = LogisticRegression(x, labels: [0, 1, 1, 1], classes: 2, strength: 1e-6)
    let odds = probe.logits(of: x)
    // ln 3, whatever the row: intercepts bear no penalty.
    #expect(abs(odds[1] - odds[0] - 1.0986) < 1e-2)
    #expect(abs(odds[3] - odds[2] - 1.0986) < 1e-2)
  }

  @Test func neighboursVoteAndTiesGoToTheNearer() {
    let rows = Embeddings(rows: 4, columns: 2, values: [1, 0, 0.9, 0.1, 0, 1, 0.1, 3])
    let query = Embeddings(rows: 2, columns: 2, values: [1, 0.2, 0.2, 1])
    let labels = [0, 0, 1, 1]
    #expect(
      NearestNeighbours(rows, labels: labels, classes: 2, count: 3).predict(query) == [0, 1])
    #expect(
      NearestNeighbours(rows, labels: labels, classes: 2, count: 4).predict(query) == [0, 1])
  }

  @Test func foldsKeepEqualTextsTogetherAndClassesApart() {
    let labels = (0..<60).map { $0 % 20 < 15 ? 0 : 1 }
    let groups = (0..<60).map { $0 / 2 }
    let folds = CrossValidation(labels: labels, groups: groups, count: 3, seed: 4).folds
    for i in stride(from: 0, to: 60, by: 2) { #expect(folds[i] == folds[i + 1]) }
    for fold in 0..<3 {
      let rows = folds.indices.filter { folds[$0] == fold }
      #expect((18...22).contains(rows.count))
      #expect((4...6).contains(rows.count { labels[$0] == 1 }))
    }
    #expect(
      CrossValidation(labels: labels, groups: groups, count: 3, seed: 4).folds == folds)
    #expect(
      CrossValidation(labels: labels, groups: groups, count: 3, seed: 5).folds != folds)
  }

  @Test func separableClassesAreToldApart() throws {
    let x = Embeddings(
      rows: 40, columns: 2, values: (0..<40).flatMap { [$0 % 2 == 0 ? 1 : 0.2, Float($0 % 7) / 7] })
    let labels = (0..<40).map { $0 % 2 == 0 ? "even" : "odd" }
    let result = try TextClassification(
      x, labels: labels, groups: Array(0..<40), options: .init())
    #expect(result.classes == 2 && result.texts == 40 && result.majority == 0.5)
    #expect(result.linearProbe.accuracy > 0.7)
    #expect(throws: EvaluationError.self) {
      try TextClassification(
        x, labels: [String](repeating: "a", count: 40), groups: Array(0..<40), options: .init())
    }
    #expect(throws: EvaluationError.self) {
      try TextClassification(
        x, labels: labels, groups: [Int](repeating: 0, count: 40), options: .init())
    }
  }

  @Test func aTableOfLabelsIsReadByItsHeader() throws {
    let texts = try LabelledTexts(table: "label\tnote\ttext\r\nx\t\ta cat\r\ny\t\ta dog\r\n") {
      #expect($0 == ["a cat", "a dog"])
      return Embeddings(rows: 2, columns: 1, values: [0, 1])
    }
    #expect(texts.labels == ["x", "y"])
  }
}
