import Testing

@testable import ConfidentLearning

@Suite struct DriftTests {
  /// Scores evenly over `range`.
  private func statistics(_ count: Int, _ range: ClosedRange<Double>) -> PairStatistics {
    var statistics = PairStatistics()
    for i in 0..<count {
      let share = (Double(i) + 0.5) / Double(count)
      let score = range.lowerBound + share * (range.upperBound - range.lowerBound)
      statistics.add(observed: Float(score), part: i % PairStatistics.partCount)
    }
    return statistics
  }

  @Test func theStatisticIsTheLargestDistanceOfTheDistributions() throws {
    let fitted = statistics(10_000, 0...4)
    // A quarter of the new scores lies above all fitted ones.
    let drift = try #require(statistics(10_000, 1...5).drift(from: fitted, least: 0.1))
    #expect(abs(drift.statistic - 0.25) < 0.005)
    #expect(abs(drift.shift - 1) < 0.01)
    #expect(drift.isDrift && drift.threshold == 0.1)
    #expect(drift.pairs == 10_000 && drift.fittedPairs == 10_000)
  }

  @Test func theSameDistributionIsNoDrift() throws {
    let fitted = statistics(10_000, 0...4)
    let drift = try #require(statistics(3000, 0...4).drift(from: fitted, least: 0.1))
    #expect(drift.statistic < 0.01 && !drift.isDrift)
  }

  @Test func fewPairsMustDifferMore() throws {
    let fitted = statistics(10_000, 0...4)
    let few = try #require(statistics(20, 1...5).drift(from: fitted, least: 0.1))
    #expect(few.threshold > 0.4 && !few.isDrift)
    // Any distance counts that is beyond chance, if asked for.
    let any = try #require(statistics(10_000, 0.2...4.2).drift(from: fitted, least: 0))
    #expect(any.isDrift && any.threshold < 0.03)
  }

  @Test func withoutPairsThereIsNothingToCompare() {
    #expect(PairStatistics().drift(from: statistics(10, 0...1), least: 0.1) == nil)
    #expect(statistics(10, 0...1).drift(from: PairStatistics(), least: 0.1) == nil)
  }
}
