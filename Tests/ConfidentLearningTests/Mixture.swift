import Foundation

@testable import ConfidentLearning

extension SplitMix64 {
  mutating func normal(_ mean: Double, _ deviation: Double) -> Float {
    let radius = (-2 * log(1 - Double.random(in: 0..<1, using: &self))).squareRoot()
    return Float(mean + deviation * radius * cos(2 * .pi * Double.random(in: 0..<1, using: &self)))
  }
}

/// A synthetic corpus with a known share of mismatched pairs: matches score N(match, 1.2), random
/// mismatches N(0, 1), hard ones N(1, 1.1); random and cluster re-pairings draw from the latter
/// two.
struct Mixture {
  var noise: Double
  /// The share of the mismatches that is hard.
  var hard = 0.0
  /// The mean score of matches: 3 for strong judges (AUROC 0.97 against random mismatches), 2.4 for the
  /// sample corpus' (0.94), 1.6 for weak ones (0.85).
  var match = 3.0
  /// The deviation of their scores.
  var matchDeviation = 1.2
  var pairs = 20_000
  var seed: UInt64 = 1

  struct Pair {
    var observed: Float
    var random: Float
    var cluster: Float
    var part: Int
    var isMismatch: Bool
  }

  func draw() -> [Pair] {
    var generator = SplitMix64(state: seed)
    return (0..<pairs).map { index in
      let isMismatch = index < Int(noise * Double(pairs))
      let isHard = index < Int(noise * hard * Double(pairs))
      let observed =
        isHard
        ? generator.normal(1, 1.1)
        : isMismatch ? generator.normal(0, 1) : generator.normal(match, matchDeviation)
      return Pair(
        observed: observed, random: generator.normal(0, 1), cluster: generator.normal(1, 1.1),
        part: index % PairStatistics.partCount, isMismatch: isMismatch)
    }
  }

  func statistics() -> PairStatistics { PairStatistics(draw()) }
}

extension PairStatistics {
  init(_ pairs: some Sequence<Mixture.Pair>) {
    self.init()
    for pair in pairs {
      add(observed: pair.observed, part: pair.part)
      add(randomRepaired: pair.random, part: pair.part)
      add(clusterRepaired: pair.cluster, part: pair.part)
    }
  }
}

extension ScoreHistogram {
  init(_ scores: [Float]) {
    self.init()
    for score in scores { add(score) }
  }
}
