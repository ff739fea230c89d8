import Testing

@testable import ConfidentLearning

@Suite struct CutTests {
  static let mixture = NoiseModelTests.mixture

  static func keptShare(_ model: NoiseModel) -> Double {
    let pairs = mixture.draw()
    return Double(pairs.count { model.keeps($0.observed) }) / Double(pairs.count)
  }

  @Test func pruneByNoiseRateDropsTheNoiseRate() throws {
    let model = try NoiseModelTests.fit(Self.mixture, .both, .pruneByNoiseRate)
    #expect(abs(model.expectedKept - (1 - model.cautiousNoiseRate)) < 1e-9)
    #expect(abs(Self.keptShare(model) - model.expectedKept) < 1e-3)
  }

  @Test func predictedNeqGivenDropsWhatIsLikelierMismatchedThanNot() throws {
    let random = try NoiseModelTests.fit(Self.mixture, .random, .predictedNeqGiven)
    for pair in Self.mixture.draw() where abs(random.mismatch(pair.observed) - 0.5) > 0.02 {
      #expect(random.keeps(pair.observed) == (random.mismatch(pair.observed) < 0.5))
    }
    let model = try NoiseModelTests.fit(Self.mixture, .both, .predictedNeqGiven)
    #expect(model.scoreThreshold > random.scoreThreshold, "the cautious one")
    #expect((0.65..<0.85).contains(model.expectedKept), "30 % are mismatched, some beyond telling")
  }

  @Test func confidentLearningDropsTheOffDiagonal() throws {
    let model = try NoiseModelTests.fit(Self.mixture, .both, .confidentLearning)
    let offDiagonal = model.confidentJoint.matchMismatch / Double(model.observedPairs)
    #expect(abs(model.expectedKept - (1 - offDiagonal)) < 1e-9)
    #expect(abs(Self.keptShare(model) - model.expectedKept) < 1e-3)
    #expect(offDiagonal < model.jointNoiseRate)
  }

  @Test(arguments: [0.02, 0.05, 0.1, 0.2])
  func maxNoiseKeepsAsMuchAsTheEstimateAllows(_ limit: Double) throws {
    let model = try NoiseModelTests.fit(Self.mixture, .both, .maxNoise(limit))
    #expect(model.reachable)
    // The threshold lies between bins, of which one holds less than a hundredth of the pairs.
    #expect((limit - 0.005...limit).contains(model.cautiousNoiseKept))
    #expect(try #require(model.cautiousNoiseKeptBound) <= limit + 0.02)
    let kept = Self.mixture.draw().filter { model.keeps($0.observed) }
    #expect(abs(Double(kept.count(where: \.isMismatch)) / Double(kept.count) - limit) < 0.06)
  }

  @Test func maxNoiseHoldsToItsUpperBoundToo() {
    // A pair a bin; those below bin 1030 are mismatches, and the bound knows no better until bin 1100.
    var observed = ScoreHistogram()
    for bin in 1000..<1200 { observed.add(Float(ScoreHistogram.centre(bin))) }
    let bins = 0..<ScoreHistogram.binCount
    func threshold(_ upper: [Double]) -> ScoreThreshold {
      ScoreThreshold(
        limiting: 0.1, of: observed, mismatch: bins.map { $0 < 1030 ? 1 : 0 }, upper: upper,
        upTo: 16)
    }
    let estimated = threshold(bins.map { _ in 0 })
    // Of 188 kept pairs 18 are mismatches, no more than a tenth.
    #expect(estimated.reachable && estimated.score == ScoreHistogram.lowerEdge(1012))
    let bounded = threshold(bins.map { $0 < 1100 ? 0.13 : 0.12 })
    #expect(bounded.reachable && bounded.score == ScoreHistogram.lowerEdge(1100))
    #expect(!threshold(bins.map { _ in 0.13 }).reachable)
  }

  @Test func maxNoiseAboveTheNoiseRateKeepsAll() throws {
    let model = try NoiseModelTests.fit(Self.mixture, .both, .maxNoise(0.6))
    #expect(model.expectedKept == 1)
    #expect(model.keeps(-.infinity))
  }

  @Test func unreachableMaxNoiseSaysSoAndCutsWhereTheBoundIsLeast() throws {
    let model = try NoiseModelTests.fit(Self.mixture, .both, .maxNoise(1e-6))
    #expect(!model.reachable)
    #expect(model.cautiousNoiseKept > 1e-6)
    #expect(model.expectedKept > 0 && model.expectedKept < 0.2)
    let loose = try NoiseModelTests.fit(Self.mixture, .both, .maxNoise(0.02))
    #expect(loose.scoreThreshold < model.scoreThreshold)
  }

  /// Of a handful of pairs nobody can say that they hold no mismatch.
  @Test(arguments: UInt64(1)...5) func maxNoiseKeepsEnoughToShowIt(_ seed: UInt64) throws {
    let weak = Mixture(noise: 0.2, match: 1, matchDeviation: 1, pairs: 785, seed: seed)
    let model = try NoiseModelTests.fit(weak, .both, .maxNoise(0.02))
    let kept = weak.draw().count { model.keeps($0.observed) }
    #expect(kept >= 75, "3 / (0.02 + 0.02)")
  }

  /// A mismatched pair that stands there 500 times is dropped whole or kept whole, and counted as it is.
  @Test func maxNoiseDoesNotDivideCopies() throws {
    var statistics = Mixture(noise: 0.0625, match: 4, matchDeviation: 0.8, pairs: 3200).statistics()
    for copy in 0..<500 {
      let part = copy % PairStatistics.partCount
      statistics.add(observed: 0.5155, part: part)
      statistics.add(randomRepaired: 0.1 * Float(copy % 20) - 1, part: part)
      statistics.add(clusterRepaired: 0.1 * Float(copy % 20) - 0.5, part: part)
    }
    for limit in [0.02, 0.05] {
      let model = try NoiseModel.fit(
        statistics, repairing: .both, cut: .maxNoise(limit), resamples: 40)
      #expect(model.reachable && !model.keeps(0.5155))
    }
  }

  @Test func equalScoresAreKeptTogether() throws {
    var same = PairStatistics()
    for index in 0..<200 {
      let score: Float = index % 10 < 4 ? 1 : -1
      same.add(observed: score, part: index % 5)
      same.add(randomRepaired: -score, part: index % 5)
      same.add(clusterRepaired: -score, part: index % 5)
    }
    let model = try NoiseModel.fit(
      same, repairing: .both, cut: .keepFraction(0.5), resamples: 40)
    #expect(model.keeps(-1) && model.keeps(1) && model.expectedKept == 1)
    let fewer = try NoiseModel.fit(
      same, repairing: .both, cut: .keepFraction(0.4), resamples: 40)
    #expect(!fewer.keeps(-1) && fewer.keeps(1) && abs(fewer.expectedKept - 0.4) < 1e-9)
  }

  @Test(arguments: [0, 0.25, 0.7, 1])
  func keepFractionKeepsThatShare(_ fraction: Double) throws {
    let model = try NoiseModelTests.fit(Self.mixture, .both, .keepFraction(fraction))
    #expect(abs(model.expectedKept - fraction) < 1e-9)
    #expect(abs(Self.keptShare(model) - fraction) < 1e-3)
    #expect(model.keeps(.infinity) == (fraction > 0))
    #expect(model.keeps(-.infinity) == (fraction == 1))
    #expect(!model.keeps(.nan))
  }
}
