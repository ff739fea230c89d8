import Foundation
import Testing

@testable import ConfidentLearning

@Suite struct ScoreHistogramTests {
  @Test func countsScoresInTheirBinsAndClampsTheRest() {
    let histogram = ScoreHistogram([
      -16, 0, 1 / 64, (1 as Float / 64).nextDown, (0 as Float).nextDown, 16, 1e30, -.infinity,
      .infinity,
    ])
    #expect(histogram.count == 9)
    #expect(histogram.counts[0] == 2)
    #expect(histogram.counts[1023] == 1)
    #expect(histogram.counts[1024] == 2)
    #expect(histogram.counts[1025] == 1)
    #expect(histogram.counts[2047] == 3)
  }

  @Test func interpolatesQuantilesWithinABin() {
    let histogram = ScoreHistogram([0, 0, 0, 0, 1, 1])
    #expect(histogram.quantile(0) == 0)
    #expect(histogram.quantile(1.0 / 3) == 1.0 / 128)
    #expect(histogram.quantile(2.0 / 3) == 1.0 / 64)
    #expect(histogram.quantile(1) == 1 + 1.0 / 64)
    #expect(histogram.quantile(7) == histogram.quantile(1))
    #expect(ScoreHistogram().quantile(0.5) == nil)
  }

  @Test func countsBelowAQuantileWhatTheQuantileWasAskedFor() {
    let histogram = ScoreHistogram(Mixture(noise: 0.3, pairs: 500).draw().map(\.observed))
    for fraction in stride(from: 0.0, through: 1, by: 0.01) {
      let edge = histogram.quantile(fraction) ?? .nan
      #expect(abs(histogram.count(below: edge) - 500 * fraction) < 1e-9)
    }
    #expect(histogram.count(below: -20) == 0)
    #expect(histogram.count(below: 20) == 500)
  }

  @Test func refusesDamagedCounts() throws {
    for text in [
      "[[2048,1]]", "[[-1,1]]", "[[3,0]]", "[[3,-1]]", "[[3,1],[3,1]]", "[[4,1],[3,1]]", "[[3]]",
      "[[3,281474976710657]]", "[[3,281474976710656],[4,1]]", "[3,1]", "{}",
    ] {
      #expect(throws: DecodingError.self, "\(text)") {
        try JSONDecoder().decode(ScoreHistogram.self, from: Data(text.utf8))
      }
    }
    let histogram = try JSONDecoder().decode(ScoreHistogram.self, from: Data("[[1024,3]]".utf8))
    #expect(histogram == ScoreHistogram([0, 0, 0]))
  }
}
