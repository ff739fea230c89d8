import Foundation
import Testing

@testable import ConfidentLearning

func gaussian(_ x: Double, _ mean: Double, _ deviation: Double) -> Double {
  let z = (x - mean) / deviation
  return exp(-z * z / 2) / (deviation * (2 * .pi).squareRoot())
}

@Suite struct NoiseModelTests {
  static let mixture = Mixture(noise: 0.3, hard: 0.5)

  static func fit(
    _ mixture: Mixture = Self.mixture, _ repairing: Repairing = .both,
    _ cut: Cut = .pruneByNoiseRate
  ) throws -> NoiseModel {
    try NoiseModel.fit(mixture.statistics(), repairing: repairing, cut: cut)
  }

  @Test(arguments: [0, 0.1, 0.3, 0.5], [2.4, 3])
  func estimatesRandomNoiseWithin5Points(_ noise: Double, _ match: Double) throws {
    let model = try Self.fit(Mixture(noise: noise, match: match), .random)
    #expect(abs(model.noiseRate - noise) < 0.05)
    #expect(abs(model.tailNoiseRate - noise) < 0.05)
    let both = try Self.fit(Mixture(noise: noise, match: match), .both)
    #expect(abs(both.noiseRate - noise) < 0.08)
  }

  /// Half of it hard: the low estimate misses it, the high one takes weak matches for noise.
  @Test(arguments: [0.1, 0.3], [2.0, 2.4, 3])
  func hardNoiseLiesBetweenTheLowAndTheHighEstimate(_ noise: Double, _ match: Double) throws {
    let model = try Self.fit(Mixture(noise: noise, hard: 0.5, match: match), .both)
    #expect(model.tailNoiseRate < noise)
    #expect(model.jointNoiseRate > noise)
    #expect(abs(model.noiseRate - noise) < 0.08)
  }

  @Test(arguments: [1.6, 2.0, 3])
  func aCleanCorpusIsLeftAlmostWhole(_ match: Double) throws {
    let model = try Self.fit(Mixture(noise: 0, match: match), .both, .predictedNeqGiven)
    #expect(model.expectedKept > 0.93, "drops \(1 - model.expectedKept)")
  }

  /// With random noise `mismatch` is calibrated; with half of it hard, its prior is the noise rate, which then errs
  /// downwards, so it promises no more mismatches than there are.
  @Test(arguments: [(Mixture(noise: 0.3), Repairing.random, -0.12), (mixture, .both, -0.25)])
  func findsTheRightPairsMismatched(
    _ mixture: Mixture, _ repairing: Repairing, _ lowest: Double
  ) throws {
    let pairs = mixture.draw()
    let model = try Self.fit(mixture, repairing)
    let dropped = pairs.filter { !model.keeps($0.observed) }
    let precision = Double(dropped.count(where: \.isMismatch)) / Double(dropped.count)
    #expect(precision > 0.75)
    let mean = pairs.reduce(0) { $0 + Double(model.mismatch($1.observed)) } / Double(pairs.count)
    #expect(abs(mean - model.noiseRate) < 1e-3)
    for (low, high) in [(-1.0 as Float, 0 as Float), (0.5, 1), (1.5, 2), (3, 4)] {
      let slice = pairs.filter { (low..<high).contains($0.observed) }
      let truth = Double(slice.count(where: \.isMismatch)) / Double(slice.count)
      let told = slice.reduce(0) { $0 + Double(model.mismatch($1.observed)) } / Double(slice.count)
      #expect((lowest...0.12).contains(told - truth), "\(low)...\(high): \(told), truth \(truth)")
    }
  }

  @Test(arguments: Repairing.allCases, [0, 0.3, 0.9])
  func ranksByMismatchExactlyAsByScore(_ repairing: Repairing, _ noise: Double) throws {
    let model = try Self.fit(Mixture(noise: noise, hard: 0.5, pairs: 5000), repairing)
    let scores = stride(from: -15.99 as Float, to: 15.99, by: 1 / 64)
    let values = scores.map { model.mismatch($0) }
    #expect(zip(values, values.dropFirst()).allSatisfy { $0 > $1 })
    #expect(values.allSatisfy { (0...1).contains($0) })
    let matches = scores.map { model.probabilityOfMatch($0) }
    #expect(zip(matches, matches.dropFirst()).allSatisfy { $0 <= $1 })
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
    let model = try NoiseModel.fit(merged, repairing: .both, cut: .confidentLearning)
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

  @Test func survivesScoresThatTellNothing() throws {
    var statistics = PairStatistics()
    for index in 0..<200 {
      statistics.add(observed: 0, randomRepaired: 0, clusterRepaired: 0, part: index % 5)
    }
    let model = try NoiseModel.fit(statistics, repairing: .both, cut: .pruneByNoiseRate)
    #expect(model.noiseRate == 0)
    #expect(model.keeps(0))
  }
}
