import ConfidentLearning
import Layers
import Pipeline
import Testing

@testable import Reports

@Suite struct NoiseWordsTests {
  /// 2,000 pairs, a fifth of them mismatched; matches score `match` above the others on the average.
  private func words(
    match: Float, repairing: Repairing = .both, cut: Cut = .predictedNeqGiven
  ) throws -> NoiseWords {
    var random = SeededRandom(seed: 1)
    var statistics = PairStatistics()
    for i in 0..<2000 {
      let part = i % PairStatistics.partCount
      statistics.add(observed: random.normal() + (i % 5 == 0 ? 0 : match), part: part)
      statistics.add(randomRepaired: random.normal(), part: part)
      statistics.add(clusterRepaired: random.normal() + match / 4, part: part)
    }
    let model = try NoiseModel.fit(statistics, repairing: repairing, cut: cut)
    return NoiseWords(noise: Manifest.Noise(model))
  }

  @Test func saysWhatWasEstimatedAndWhatTheCutGoesBy() throws {
    let text = try words(match: 3).sentences.joined(separator: "\n")
    #expect(text.contains("Of 100 pairs about ") && text.contains("95 % confidence"))
    #expect(text.contains("lower bound") && text.contains("a third of the mismatches"))
    #expect(text.contains("the cut goes by that"))
    let kept = try words(match: 3, cut: .keepFraction(0.7)).sentences.joined()
    #expect(!kept.contains("the cut goes by that"))
    let random = try words(match: 3, repairing: .random).sentences.joined()
    #expect(!random.contains("of the right topic, it would be"))
  }

  @Test func saysWhenTheJudgesDoNotTell() throws {
    let text = try words(match: 0).sentences.joined()
    #expect(
      text.contains("don't tell pairs from re-paired ones") && text.contains("Nothing is dropped"))
    let kept = try words(match: 0, cut: .keepFraction(0.7)).sentences.joined()
    #expect(kept.contains("which pairs they are is chance") && !kept.contains("Nothing is dropped"))
  }

  @Test func saysWhenACutIsOutOfReachOrTheRangeWide() throws {
    let unreachable = try words(match: 1, cut: .maxNoise(0.0001)).sentences.joined()
    #expect(unreachable.contains("No cut reaches the noise asked for"))
    #expect(try words(match: 0.5).sentences.joined().contains("a wide range"))
  }

  @Test func saysOnWhatALimitRests() throws {
    let limited = try words(match: 4, cut: .maxNoise(0.05))
    #expect(limited.noise.reachable)
    #expect(
      limited.sentences.joined().contains(
        "within 2 percentage points, if at most a third of the mismatches are"))
    var few = limited.noise
    (few.reachable, few.cautiousNoiseKept, few.cautiousNoiseKeptBound) = (false, 0.04, 0.083)
    let text = NoiseWords(noise: few).sentences.joined()
    #expect(text.contains("too few pairs") && text.contains("4.0 %") && text.contains("8.3 %"))
  }

  @Test func saysWhenMatchesMayBeCounted() throws {
    #expect(try words(match: 1).sentences.joined().contains("only weakly"))
    #expect(try !words(match: 3).sentences.joined().contains("only weakly"))
  }
}
