import Encoders
import Layers
import Testing

@testable import Training

@Suite struct TrustTests {
  private static func scores(_ observed: [Float], _ repaired: [Float]) -> [PairScores] {
    zip(observed, repaired).map {
      PairScores(observed: [$0], randomRepaired: [$1], clusterRepaired: [0])
    }
  }

  @Test func aPairIsDrawnTheMoreTheBetterItsScoreStandsToRepairedOnes() {
    let count = 200
    var trust = Trust(Array(0..<count))
    // Three quarters are like matches, at 4 and more; the rest like re-paired ones, -1 ... 1.
    let repaired = (0..<count).map { Float($0 % 41) / 20 - 1 }
    let observed = (0..<count).map { $0 % 4 == 0 ? repaired[$0] : 4 + repaired[$0] / 10 }
    for _ in 0..<3 { trust.add(Self.scores(observed, repaired)) }
    let shares = trust.shares(quantile: 0.9) { _ in 0 }
    #expect(shares.count == count)
    for i in 0..<count {
      if i % 4 != 0 { #expect(shares[i, default: 0] > 0.99) }
      if i % 4 == 0, observed[i] < 0 { #expect(shares[i, default: 1] < 0.2) }
    }
    let ordered = (0..<count).sorted { observed[$0] < observed[$1] }
    #expect(
      zip(ordered, ordered.dropFirst()).allSatisfy {
        shares[$0, default: 0] <= shares[$1, default: 0]
      })
    #expect(trust.shares(quantile: 0) { _ in 0 }.isEmpty, "none is distrusted")
  }

  @Test func judgesThatCannotTellTakeAtMostHalfOfAFoldAway() {
    var trust = Trust(Array(0..<100))
    var random = SeededRandom(seed: 3)
    // As found, pairs look worse than re-paired ones; fold 1 more so.
    trust.add(
      Self.scores(
        (0..<100).map { random.normal() - ($0 % 2 == 0 ? 3 : 9) }, .init(repeating: 0, count: 100)))
    let shares = trust.shares(quantile: 0.9) { $0 % 2 }
    for fold in 0..<2 {
      let own = (0..<100).filter { $0 % 2 == fold }.map { shares[$0, default: 0] }
      #expect(own.count { $0 >= 0.5 } >= 25)
    }
  }

  @Test func drawsExactlyAsManyAsAskedAndEachAboutAsOftenAsItsShare() {
    let shares: [Float] = (0..<40).map { [0.05, 0.3, 0.8, 1][$0 % 4] }
    let count = expectedPairs(shares.count, shares: shares)
    #expect(count == 21)
    var drawnTimes = [Int](repeating: 0, count: shares.count)
    var random = SeededRandom(seed: 5)
    for _ in 0..<2000 {
      let places = drawn(count, by: shares, &random)
      #expect(places.count == count && Set(places).count == count)
      for place in places { drawnTimes[place] += 1 }
    }
    for (times, share) in zip(drawnTimes, shares) {
      #expect(abs(Float(times) / 2000 - share) < 0.1, "\(times) of 2000 for \(share)")
    }
    #expect(expectedPairs(7, shares: nil) == 7)
  }
}
