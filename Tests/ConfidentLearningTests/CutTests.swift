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
    #expect(abs(model.expectedKept - (1 - model.noiseRate)) < 1e-9)
    #expect(abs(Self.keptShare(model) - model.expectedKept) < 1e-3)
  }

  @Test func predictedNeqGivenDropsWhatIsLikelierMismatchedThanNot() throws {
    let model = try NoiseModelTests.fit(Self.mixture, .both, .predictedNeqGiven)
    for pair in Self.mixture.draw() where abs(model.mismatch(pair.observed) - 0.5) > 0.02 {
      #expect(model.keeps(pair.observed) == (model.mismatch(pair.observed) < 0.5))
    }
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
    #expect(abs(model.estimatedNoiseKept - limit) < 1e-9)
    let kept = Self.mixture.draw().filter { model.keeps($0.observed) }
    let mean = kept.reduce(0) { $0 + Double(model.mismatch($1.observed)) } / Double(kept.count)
    #expect(abs(mean - limit) < 2e-3)
    #expect(abs(Double(kept.count(where: \.isMismatch)) / Double(kept.count) - limit) < 0.06)
  }

  @Test func maxNoiseAboveTheNoiseRateKeepsAll() throws {
    let model = try NoiseModelTests.fit(Self.mixture, .both, .maxNoise(0.6))
    #expect(model.expectedKept == 1)
    #expect(model.keeps(-.infinity))
  }

  @Test func unreachableMaxNoiseSaysSoAndCutsAtTheLastKnot() throws {
    let model = try NoiseModelTests.fit(Self.mixture, .both, .maxNoise(1e-6))
    #expect(!model.reachable)
    #expect(model.estimatedNoiseKept > 1e-6)
    #expect(model.expectedKept > 0 && model.expectedKept < 0.2)
    let loose = try NoiseModelTests.fit(Self.mixture, .both, .maxNoise(0.02))
    #expect(loose.scoreThreshold < model.scoreThreshold)
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
