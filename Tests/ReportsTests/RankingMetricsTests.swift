import Testing

@testable import Reports

@Suite struct RankingMetricsTests {
  @Test func aurocIsTheShareOfOrderedPairs() {
    // Positives 0.8, 0.4; negatives 0.6, 0.2: three of four pairs are ordered.
    let value = RankingMetrics.auroc(
      scores: [0.8, 0.6, 0.4, 0.2], positives: [true, false, true, false])
    #expect(value == 0.75)
  }

  @Test func tiesCountHalf() {
    #expect(RankingMetrics.auroc(scores: [1, 1, 1], positives: [true, false, false]) == 0.5)
    #expect(
      RankingMetrics.auroc(scores: [2, 1, 1], positives: [true, true, false]) == 0.75)
  }

  @Test func aurocNeedsBothClasses() {
    #expect(RankingMetrics.auroc(scores: [1, 2], positives: [true, true]) == nil)
    #expect(RankingMetrics.auroc(scores: [], positives: []) == nil)
  }

  @Test func whatIsNoNumberTiesBelowAllOthers() {
    let (scores, positives) = ([Float.nan, 0.5, .nan, 1], [true, false, false, true])
    #expect(RankingMetrics.auroc(scores: scores, positives: positives) == 2.5 / 4)
    // The precision at 1 is 1, at the two that are tied 2 of 4.
    #expect(RankingMetrics.averagePrecision(scores: scores, positives: positives) == 0.75)
  }

  @Test func averagePrecisionIsTheMeanPrecisionAtThePositives() throws {
    // scikit-learn: average_precision_score([1, 0, 1, 0], [.8, .6, .4, .2]) = 0.8333...
    let value = try #require(
      RankingMetrics.averagePrecision(
        scores: [0.8, 0.6, 0.4, 0.2], positives: [true, false, true, false]))
    #expect(abs(value - 5.0 / 6) < 1e-12)
    // All tied: the share of positives.
    #expect(
      RankingMetrics.averagePrecision(
        scores: [1, 1, 1, 1], positives: [true, false, false, false]) == 0.25)
    #expect(RankingMetrics.averagePrecision(scores: [1], positives: [false]) == nil)
  }
}
