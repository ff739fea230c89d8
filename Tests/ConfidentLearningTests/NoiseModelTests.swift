import Foundation
import Testing

@testable import ConfidentLearning

func gaussian(_ x: Double, _ mean: Double, _ deviation: Double) -> Double {
  let z = (x - mean) / deviation
  return exp(-z * z / 2) / (deviation * (2 * .pi).squareRoot())
}

@Suite struct NoiseModelTests {
  static let mixture = Mixture(noise: 0.3, hard: 0.5)

  /// Few resamples, for what doesn't look at the intervals' ends.
  static func fit(
    _ mixture: Mixture = Self.mixture, _ repairing: Repairing = .both,
    _ cut: Cut = .pruneByNoiseRate, resamples: Int = 40
  ) throws -> NoiseModel {
    try NoiseModel.fit(
      mixture.statistics(), repairing: repairing, cut: cut, resamples: resamples)
  }

  @Test(arguments: [0, 0.1, 0.3, 0.5], [1.4, 2.4, 3])
  func estimatesRandomNoiseWithin4Points(_ noise: Double, _ match: Double) throws {
    let model = try Self.fit(Mixture(noise: noise, match: match, matchDeviation: 1), .random)
    #expect(abs(model.noiseRate - noise) < 0.04)
    #expect(model.cautiousNoiseRate == model.noiseRate)
  }

  /// Half of it hard: random re-pairing misses it, re-pairing of both kinds is told the right share of it.
  @Test(arguments: [0.1, 0.3], [2.4, 3])
  func hardNoiseIsCountedCautiously(_ noise: Double, _ match: Double) throws {
    let model = try Self.fit(Mixture(noise: noise, hard: 0.5, match: match), .both)
    #expect(model.noiseRate < 0.9 * noise)
    #expect(abs(model.cautiousNoiseRate - noise) < 0.06)
  }

  @Test(arguments: [0, 0.2, 0.5], [1.4, 2.4])
  func intervalsHoldTheTruth(_ noise: Double, _ match: Double) throws {
    var held = 0
    for seed in UInt64(1)...10 {
      let mixture = Mixture(
        noise: noise, match: match, matchDeviation: 1, pairs: 1500, seed: seed)
      let interval = try Self.fit(mixture, .random, resamples: 400).noiseRateInterval
      held += (interval.low...interval.high).contains(noise) ? 1 : 0
    }
    #expect(held >= 9)
  }

  @Test func aFewPairsWithoutALowScoreProveLittle() throws {
    // 3.67, the Poisson bound of none, over half of the pairs.
    for (pairs, high) in [(150, 0.0489), (15_000, 0.000489)] {
      let mixture = Mixture(noise: 0, match: 9, matchDeviation: 1, pairs: pairs)
      let model = try Self.fit(mixture, .random)
      #expect(model.noiseRate == 0 && model.noiseRateInterval.low == 0)
      #expect(abs(model.noiseRateInterval.high - high) < high / 100)
    }
  }

  /// 3 of 300 pairs score low: of so few a bootstrap knows nothing.
  @Test func fewLowScoresAreBoundedByTheirCount() {
    var (observed, mismatched) = (ScoreHistogram(), ScoreHistogram())
    for i in 0..<300 {
      observed.add(i < 3 ? -0.5 : 4)
      mismatched.add(Float(i) / 150 - 1)
    }
    let rate = NoiseRate(observed: observed, mismatched: mismatched)
    #expect(rate.pairs == 3)
    // 8.77 is the exact bound of a Poisson count of 3.
    #expect(abs(rate.boundOfFew(among: 300) - 8.77 / 150) < 0.0003)
    for _ in 0..<17 { observed.add(-0.5) }
    #expect(NoiseRate(observed: observed, mismatched: mismatched).boundOfFew(among: 317) == 0)
  }

  @Test func weakJudgesKnowIt() throws {
    func width(_ match: Double) throws -> Double {
      let interval = try Self.fit(Mixture(noise: 0.2, match: match), .random, resamples: 400)
        .noiseRateInterval
      return interval.high - interval.low
    }
    #expect(try width(3) < 0.04)
    #expect(try width(1.2) > 0.08)
  }

  @Test(arguments: [1.6, 2.0, 3])
  func aCleanCorpusIsLeftAlmostWhole(_ match: Double) throws {
    let model = try Self.fit(Mixture(noise: 0, match: match), .both, .predictedNeqGiven)
    #expect(model.expectedKept > 0.93, "drops \(1 - model.expectedKept)")
  }

  @Test(arguments: [0.1, 0.3, 0.5], [1.4, 2.4])
  func mismatchIsAProbability(_ noise: Double, _ match: Double) throws {
    let pairs = Mixture(noise: noise, match: match, matchDeviation: 1).draw()
    let model = try NoiseModel.fit(PairStatistics(pairs), repairing: .both, cut: .predictedNeqGiven)
    let mean = pairs.reduce(0) { $0 + Double(model.mismatch($1.observed)) } / Double(pairs.count)
    #expect(abs(mean - model.noiseRate) < 0.03)
    for (low, high) in [(-1.0 as Float, 0 as Float), (0.5, 1), (1.5, 2), (3, 4)] {
      let slice = pairs.filter { (low..<high).contains($0.observed) }
      let truth = Double(slice.count(where: \.isMismatch)) / Double(slice.count)
      let told = slice.reduce(0) { $0 + Double(model.mismatch($1.observed)) } / Double(slice.count)
      #expect(abs(told - truth) < 0.1, "\(low)...\(high): \(told), truth \(truth)")
    }
  }

  @Test func findsTheRightPairsMismatched() throws {
    let pairs = Self.mixture.draw()
    let model = try Self.fit()
    let dropped = pairs.filter { !model.keeps($0.observed) }
    let precision = Double(dropped.count(where: \.isMismatch)) / Double(dropped.count)
    #expect(precision > 0.75)
    #expect(Double(dropped.count) / Double(pairs.count) > 0.25)
  }

  @Test(arguments: Repairing.allCases, [0, 0.3, 0.9])
  func ranksByMismatchExactlyAsByScore(_ repairing: Repairing, _ noise: Double) throws {
    let model = try Self.fit(Mixture(noise: noise, hard: 0.5, pairs: 5000), repairing)
    let scores = stride(from: -15.99 as Float, to: 15.99, by: 1 / 64)
    let values = scores.map { model.mismatch($0) }
    #expect(zip(values, values.dropFirst()).allSatisfy { $0 > $1 })
    #expect(values.allSatisfy { (0...1).contains($0) })
    #expect(model.mismatch(-.infinity) == model.mismatch(-16))
  }

  @Test func losesNoRankToTies() throws {
    let model = try Self.fit()
    let pairs = Self.mixture.draw()
    func areaUnderROC(_ rank: (Mixture.Pair) -> Float) -> Double {
      let ranked = pairs.map { (value: rank($0), isMismatch: $0.isMismatch) }
        .sorted { $0.value > $1.value }
      var area = 0.0
      var mismatches = 0.0
      var start = 0
      while start < ranked.count {
        let tied = ranked[start...].prefix { $0.value == ranked[start].value }
        let hits = Double(tied.count(where: \.isMismatch))
        area += (Double(tied.count) - hits) * (mismatches + hits / 2)
        mismatches += hits
        start += tied.count
      }
      return area / mismatches / (Double(ranked.count) - mismatches)
    }
    let byScore = areaUnderROC { -$0.observed }
    #expect(byScore > 0.9)
    #expect(abs(areaUnderROC { model.mismatch($0.observed) } - byScore) < 1e-5)
  }

  @Test(arguments: Repairing.allCases)
  func comesBackEqualFromJSON(_ repairing: Repairing) throws {
    for cut in [
      .predictedNeqGiven, .pruneByNoiseRate, .confidentLearning, .maxNoise(0.1), .keepFraction(0.7),
    ] as [Cut] {
      let model = try Self.fit(Self.mixture, repairing, cut)
      let data = try JSONEncoder().encode(model)
      #expect(try JSONDecoder().decode(NoiseModel.self, from: data) == model)
    }
  }

  @Test func givesTheSameModelForMergedStatistics() throws {
    let pairs = Self.mixture.draw()
    var merged = PairStatistics(pairs[9000...])
    merged.merge(PairStatistics(pairs[..<9000]))
    let model = try NoiseModel.fit(
      merged, repairing: .both, cut: .confidentLearning, resamples: 40)
    #expect(model == (try Self.fit(Self.mixture, .both, .confidentLearning)))
  }

  @Test func refusesWhatItCannotFit() throws {
    let few = Mixture(noise: 0.3, pairs: 99).statistics()
    #expect(throws: NoiseModelError.tooFewPairs(found: 99, needed: 100)) {
      try NoiseModel.fit(few, repairing: .both, cut: .pruneByNoiseRate)
    }
    let onePart = PairStatistics(
      Mixture(noise: 0.3, pairs: 200).draw().map { pair in
        var pair = pair
        pair.part = 3
        return pair
      })
    #expect(throws: NoiseModelError.onePartOnly(part: 3)) {
      try NoiseModel.fit(onePart, repairing: .both, cut: .pruneByNoiseRate)
    }
    for cut in [.maxNoise(-0.1), .keepFraction(1.5), .maxNoise(.nan)] as [Cut] {
      #expect(throws: NoiseModelError.self) { try Self.fit(Self.mixture, .both, cut) }
    }
  }

  @Test func refusesADamagedCalibration() throws {
    for text in [
      #"{"scores":[],"probabilities":[]}"#, #"{"scores":[1],"probabilities":[0.1,0.2]}"#,
      #"{"scores":[1,1],"probabilities":[0.1,0.2]}"#, #"{"scores":[1],"probabilities":[0]}"#,
      #"{"scores":[1,2],"probabilities":[0.2,0.1]}"#,
    ] {
      #expect(throws: DecodingError.self) {
        try JSONDecoder().decode(IsotonicCalibration.self, from: Data(text.utf8))
      }
    }
  }

  @Test func scoresThatTellNothingDropNothing() throws {
    var same = PairStatistics()
    for index in 0..<200 {
      same.add(observed: 0, part: index % 5)
      same.add(randomRepaired: 0, part: index % 5)
      same.add(clusterRepaired: 0, part: index % 5)
    }
    for statistics in [same, Mixture(noise: 0, match: 0, matchDeviation: 1).statistics()] {
      for cut in [.predictedNeqGiven, .pruneByNoiseRate, .confidentLearning, .maxNoise(0.1)]
        as [Cut]
      {
        let model = try NoiseModel.fit(
          statistics, repairing: .both, cut: cut, resamples: 40)
        #expect(!model.isTelling)
        #expect(model.noiseRateInterval.low == 0)
        #expect(model.keeps(-16))
        #expect(model.reachable == (cut.name != "max_noise"))
      }
      let half = try NoiseModel.fit(
        statistics, repairing: .both, cut: .keepFraction(0.5), resamples: 40)
      // Equal scores stay together.
      #expect(statistics == same ? half.keeps(0) : abs(half.expectedKept - 0.5) < 1e-9)
    }
    #expect(try Self.fit().isTelling)
  }
}
