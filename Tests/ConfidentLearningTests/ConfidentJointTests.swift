import Testing

@testable import ConfidentLearning

@Suite struct ConfidentJointTests {
  /// One part whose four bins carry P(match) 0.1, 0.4, 0.6, 0.9.
  static func part(observed: [Int], repaired: [Int]) throws -> CrossFittedPart {
    func histogram(_ counts: [Int]) throws -> ScoreHistogram {
      let empty = Array(repeating: 0, count: ScoreHistogram.binCount - counts.count)
      return try #require(ScoreHistogram(counts: counts + empty))
    }
    let rest = Array(repeating: 0.9, count: ScoreHistogram.binCount - 4)
    return CrossFittedPart(
      observed: try histogram(observed), repaired: try histogram(repaired),
      probabilities: [0.1, 0.4, 0.6, 0.9] + rest)
  }

  @Test func equalsTheJointComputedByHand() throws {
    let parts = [
      try Self.part(observed: [1, 1, 0, 3], repaired: [2, 1, 0, 0]),
      try Self.part(observed: [1, 0, 1, 3], repaired: [2, 0, 0, 1]),
    ]
    // Observed: 2 x 0.1, 1 x 0.4, 1 x 0.6, 6 x 0.9. Re-paired, as 1 - p: 4 x 0.9, 1 x 0.6, 1 x 0.1.
    let thresholds = ConfidenceThresholds(parts)
    #expect(abs(thresholds.match - 6.6 / 10) < 1e-12)
    #expect(abs(thresholds.mismatch - 4.3 / 6) < 1e-12)
    // Only 0.9 reaches 0.66; only 1 - 0.1 reaches 0.717; 0.4 and 0.6 are in no cell.
    let joint = ConfidentJoint(parts, thresholds: thresholds, repairedWeight: 0.5)
    #expect(
      joint
        == ConfidentJoint(
          matchMatch: 6, matchMismatch: 2, mismatchMatch: 0.5, mismatchMismatch: 2))
    let calibrated = joint.calibrated(match: 10, mismatch: 3)
    #expect(calibrated.matchMatch == 7.5)
    #expect(calibrated.matchMismatch == 2.5)
    #expect(abs(calibrated.mismatchMatch - 0.6) < 1e-12)
    #expect(abs(calibrated.mismatchMismatch - 2.4) < 1e-12)
  }

  @Test func givesACollisionToTheLikelierLabel() {
    let low = ConfidenceThresholds(match: 0.3, mismatch: 0.3)
    #expect(low.confidentMatch(0.6) == true)
    #expect(low.confidentMatch(0.4) == false)
    #expect(low.confidentMatch(0.5) == true)
    let high = ConfidenceThresholds(match: 0.8, mismatch: 0.8)
    #expect(high.confidentMatch(0.5) == nil)
    #expect(high.confidentMatch(0.8) == true)
    #expect(high.confidentMatch(0.2) == false)
  }

  @Test func leavesARowWithoutConfidentPairsOnItsDiagonal() {
    let joint = ConfidentJoint(
      matchMatch: 0, matchMismatch: 0, mismatchMatch: 0, mismatchMismatch: 0)
    let calibrated = joint.calibrated(match: 5, mismatch: 7)
    #expect(
      calibrated
        == ConfidentJoint(matchMatch: 5, matchMismatch: 0, mismatchMatch: 0, mismatchMismatch: 7))
  }
}
