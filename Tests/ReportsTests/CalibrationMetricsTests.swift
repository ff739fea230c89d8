import Layers
import Testing

@testable import Reports

@Suite struct CalibrationMetricsTests {
  @Test func theErrorIsTheMeanDistanceOfToldFromFound() {
    let metrics = CalibrationMetrics(
      probabilities: [0.1, 0.1, 0.1, 0.1, 1], positives: [true, false, false, false, false])
    #expect(metrics.reliability.map(\.pairs) == [4, 1])
    #expect(metrics.reliability.map(\.found) == [0.25, 0])
    #expect(abs(metrics.error - (4 * 0.15 + 1) / 5) < 1e-6)
    #expect(CalibrationMetrics(probabilities: [], positives: []).error == 0)
  }

  @Test func rightProbabilitiesShowTheIdealErrorAndWrongOnesMore() {
    var random = SeededRandom(seed: 3)
    let probabilities = (0..<5000).map { _ in random.uniform() }
    let right = probabilities.map { random.uniform() < $0 }
    let wrong = probabilities.map { random.uniform() < $0 / 2 }
    let metrics = CalibrationMetrics(probabilities: probabilities, positives: right)
    #expect(metrics.error < 2 * metrics.idealError)
    #expect(metrics.idealError > 0.003 && metrics.idealError < 0.03)
    #expect(CalibrationMetrics(probabilities: probabilities, positives: wrong).error > 0.2)
  }
}
