import Testing

@testable import ConfidentLearning

@Suite struct IsotonicCalibrationTests {
  /// The plain version: the least-squares monotone fit by its min-max formula, in cubic time.
  static func bruteForce(_ points: [WeightedPoint]) -> [Double] {
    func mean(_ low: Int, _ high: Int) -> Double {
      let block = points[low...high]
      return block.reduce(0) { $0 + $1.y * $1.weight } / block.reduce(0) { $0 + $1.weight }
    }
    return points.indices.map { point in
      (0...point).map { low in
        (point..<points.count).map { mean(low, $0) }.min() ?? .nan
      }.max() ?? .nan
    }
  }

  @Test(arguments: UInt64(0)..<20)
  func poolsAsTheMinMaxFormulaDoes(_ seed: UInt64) {
    var generator = SplitMix64(state: seed)
    let points = (0..<40).map {
      WeightedPoint(
        x: Double($0), y: Double(Int.random(in: 0...9, using: &generator)) / 9,
        weight: Double.random(in: 0.1...2, using: &generator))
    }
    let blocks = poolAdjacentViolators(points)
    let plain = Self.bruteForce(points)
    // Spread the blocks over their points again, by weight.
    var fitted: [Double] = []
    for block in blocks {
      var weight = 0.0
      while weight < block.weight - 1e-9 {
        weight += points[fitted.count].weight
        fitted.append(block.y)
      }
    }
    #expect(fitted.count == points.count)
    #expect(zip(fitted, plain).allSatisfy { abs($0 - $1) < 1e-9 })
    #expect(zip(blocks, blocks.dropFirst()).allSatisfy { $0.y < $1.y && $0.x < $1.x })
  }

  @Test func interpolatesBetweenCentresOfMassAndClampsItsEnds() {
    // Two mismatches at 0, one of each at 1, two matches at 2; each label has three pairs.
    let calibration = IsotonicCalibration(
      match: ScoreHistogram([1, 2, 2]), mismatch: ScoreHistogram([0, 0, 1]))
    let half = ScoreHistogram.binWidth / 2
    #expect(calibration.scores == [half, 1 + half, 2 + half])
    #expect(abs(calibration(1 + half) - 0.5) < 1e-12)
    #expect(abs(calibration(0.5 + half) - 0.25) < 1e-3)
    #expect(calibration(-9) == IsotonicCalibration.floor)
    #expect(calibration(9) == 1 - IsotonicCalibration.floor)
  }

  @Test func weighsBothLabelsTheSameWhateverTheirCounts() {
    let calibration = IsotonicCalibration(
      match: ScoreHistogram([0]), mismatch: ScoreHistogram(Array(repeating: 0, count: 99)))
    #expect(abs(calibration(0) - 0.5) < 1e-12)
  }

  @Test func recoversTheDensityRatioOfGaussians() {
    let pairs = Mixture(noise: 0, pairs: 40_000).draw()
    let calibration = IsotonicCalibration(
      match: ScoreHistogram(pairs.map(\.observed)), mismatch: ScoreHistogram(pairs.map(\.random)))
    for score in stride(from: -0.5, through: 3, by: 0.25) {
      let match = gaussian(score, 3, 1.2)
      let truth = match / (match + gaussian(score, 0, 1))
      #expect(abs(calibration(score) - truth) < 0.04)
    }
  }
}
