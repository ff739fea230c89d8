import Foundation
import Testing

@testable import Encoders

@Suite struct ScoringTests {
  private let ensemble = Fixtures.ensemble()
  private var member: Ensemble.Member { ensemble.member(kind: 0, fold: 0) }
  private static let scale: Float = 10

  private func bank() -> EmbeddedBank {
    EmbeddedBank(
      ensemble.bank, images: member.bankImages, texts: member.bankTexts, dimension: 6,
      scale: Self.scale)
  }

  private func cosine(_ a: [Float], _ i: Int, _ b: [Float], _ j: Int) -> Double {
    (0..<6).reduce(0) { $0 + Double(a[i * 6 + $1]) * Double(b[j * 6 + $1]) }
  }

  /// The first four bank pairs under other names, re-paired with the captions of the last two.
  private func scores(_ method: ScoringMethod, pairs: Int = 4) -> [RawScores] {
    let named = (0..<pairs).map { (hash: Fixtures.pair(100 + $0).hash, caption: "pair \($0)") }
    return method.scorer(bank()).scores(
      images: Array(member.bankImages.prefix(6 * pairs)),
      texts: Array(member.bankTexts.prefix(6 * pairs)), of: named,
      repairings: named.map { _ in [ensemble.bank.count - 1, ensemble.bank.count - 2] },
      withBank: true)
  }

  @Test func cosineIsTheScaledCosine() {
    for (i, score) in scores(.cosine).enumerated() {
      let scale = Double(Self.scale)
      let plain = scale * cosine(member.bankImages, i, member.bankTexts, i)
      #expect(abs(Double(score.observed) - plain) < 1e-4)
      let last = ensemble.bank.count - 1
      let other = scale * cosine(member.bankImages, i, member.bankTexts, last)
      #expect(abs(Double(score.repaired[0]) - other) < 1e-4)
    }
  }

  @Test func inBatchLikelihoodIsTheMeanOfBothSoftmaxes() {
    let scale = Double(Self.scale)
    func logit(_ i: Int, _ texts: [Float], _ j: Int) -> Double {
      scale * cosine(member.bankImages, i, texts, j)
    }
    let texts = member.bankTexts
    for (i, score) in scores(.inBatchLikelihood).enumerated() {
      let byImage = (0..<4).reduce(0) { $0 + exp(logit(i, texts, $1)) }
      let byText = (0..<4).reduce(0) { $0 + exp(logit($1, texts, i)) }
      let plain = logit(i, texts, i) - (log(byImage / 4) + log(byText / 4)) / 2
      #expect(abs(Double(score.observed) - plain) < 1e-3)
      // The bank's caption takes the place of the pair's own.
      let last = ensemble.bank.count - 1
      let own = exp(logit(i, texts, last))
      let others = (0..<4).filter { $0 != i }
      let otherImage = own + others.reduce(0) { $0 + exp(logit(i, texts, $1)) }
      let otherText = own + others.reduce(0) { $0 + exp(logit($1, texts, last)) }
      let repaired = logit(i, texts, last) - (log(otherImage / 4) + log(otherText / 4)) / 2
      #expect(abs(Double(score.repaired[0]) - repaired) < 1e-3)
    }
  }

  @Test(arguments: ScoringMethod.allCases)
  func onlyTheInBatchScoreDependsOnItsNeighbours(_ method: ScoringMethod) {
    let (four, three) = (scores(method), scores(method, pairs: 3))
    let isEqual = zip(four, three).allSatisfy { abs($0.observed - $1.observed) < 1e-4 }
    #expect(isEqual == (method != .inBatchLikelihood))
  }

  @Test func pseudoClassesAreProbabilitiesOfTheCaptionsCluster() {
    let all = scores(.pseudoClass)
    #expect(all.allSatisfy { $0.observed <= 0 && $0.repaired.allSatisfy { $0 <= 0 } })
    // A caption of a bank pair's cluster is worth what any other caption of the cluster is.
    for score in all {
      let different = Set(score.bank.filter(\.isFinite).map { ($0 * 1000).rounded() })
      #expect(different.count < ensemble.bank.count)
    }
  }

  @Test(arguments: ScoringMethod.allCases)
  func judgesStandardiseByTheirOwnWayOfScoring(_ method: ScoringMethod) {
    let pairs = (0..<400).map { Fixtures.pair($0) }
    let repaired = Judge(ensemble, scoring: method).score(pairs).map { $0.randomRepaired[0] }
    let mean = repaired.reduce(0, +) / Float(repaired.count)
    let deviation = (repaired.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 400).squareRoot()
    // The in-batch score's level depends on the size of the batch.
    #expect(abs(mean) < (method == .inBatchLikelihood ? 3 : 1))
    #expect((0.3...3).contains(deviation))
  }
}
