import Testing

@testable import ConfidentLearning

@Suite struct MixtureNoiseRateTests {
  @Test(arguments: [0, 0.1, 0.3, 0.5], [0, 0.5])
  func estimatesNoiseAmongGaussianMatchesWithin5Points(_ noise: Double, _ hard: Double) {
    let rate = MixtureNoiseRate(Mixture(noise: noise, hard: hard).statistics())
    #expect(abs(rate.total - noise) < 0.05)
    #expect(abs(rate.cluster - noise * hard) < 0.08)
  }

  @Test func isZeroWithoutPairs() {
    #expect(MixtureNoiseRate(PairStatistics()).total == 0)
  }
}
