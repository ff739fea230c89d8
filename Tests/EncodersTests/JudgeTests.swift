import Foundation
import Testing

@testable import Encoders

@Suite struct JudgeTests {
  private let ensemble = Fixtures.ensemble()
  private let pairs = (0..<40).map { Fixtures.pair($0) }

  private func expectClose(_ a: PairScores, _ b: PairScores, _ tolerance: Float = 2e-3) {
    for (x, y) in zip(
      a.observed + a.randomRepaired + a.clusterRepaired,
      b.observed + b.randomRepaired + b.clusterRepaired)
    {
      #expect(abs(x - y) < tolerance, "\(x) against \(y)")
    }
  }

  @Test func aPairsScoreDoesNotDependOnItsNeighbours() {
    let together = Judge(ensemble).score(pairs)
    let judge = Judge(ensemble)
    for (pair, score) in zip(pairs, together) { expectClose(judge.score([pair])[0], score) }
    let backwards = Judge(ensemble).score(pairs.reversed())
    for (a, b) in zip(backwards.reversed(), together) { expectClose(a, b) }
  }

  @Test func theSamePairsGetTheSameBits() {
    #expect(Judge(ensemble).score(pairs) == Judge(ensemble).score(pairs))
  }

  @Test func onlyTheMembersThatHeldAFoldOutScoreIt() {
    var broken = ensemble
    for index in broken.members.indices where broken.members[index].fold == 1 {
      broken.members[index].mean += 100
    }
    let (before, after) = (Judge(ensemble).score(pairs), Judge(broken).score(pairs))
    for (pair, (a, b)) in zip(pairs, zip(before, after)) {
      if pair.hash.fold(of: 2) == 0 {
        #expect(a == b)
      } else {
        #expect(a.observed[0] - b.observed[0] > 10)
      }
    }
    #expect(Set(pairs.map { $0.hash.fold(of: 2) }) == [0, 1])
  }

  @Test func bankTermsWithTheSameCaptionOrImageAreLeftOut() {
    // A pair that stands in the bank itself must not compete with itself.
    let member = ensemble.member(kind: 0, fold: 0)
    let scorer = BankScorer(
      bank: ensemble.bank, images: member.bankImages, texts: member.bankTexts, dimension: 6,
      scale: 10)
    let row = Array(member.bankImages[0..<6])
    let text = Array(member.bankTexts[0..<6])
    let own = (hash: ensemble.bank[0].hash, caption: ensemble.bank[0].caption)
    let stranger = (hash: Fixtures.pair(1).hash, caption: "another")
    let inside = scorer.scores(images: row, texts: text, of: [own], repairings: [[]])[0].observed
    let outside = scorer.scores(images: row, texts: text, of: [stranger], repairings: [[]])[0]
      .observed
    #expect(inside != outside)
    #expect(abs(inside - plainScore(row, text, member, leftOut: [0], scale: 10)) < 1e-4)
    #expect(abs(outside - plainScore(row, text, member, leftOut: [], scale: 10)) < 1e-4)
  }

  /// DESIGN.md's formula as written, in double precision.
  private func plainScore(
    _ v: [Float], _ t: [Float], _ member: Ensemble.Member, leftOut: Set<Int>, scale: Double
  ) -> Float {
    func dot(_ a: [Float], _ b: ArraySlice<Float>) -> Double {
      zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    }
    let own = scale * dot(v, t[...])
    let terms = ensemble.bank.indices.filter { !leftOut.contains($0) }
    let up = Double(ensemble.bank.count) / Double(terms.count)
    func sum(_ row: [Float], _ bank: [Float]) -> Double {
      up * terms.reduce(0) { $0 + exp(scale * dot(row, bank[($1 * 6)..<($1 * 6 + 6)])) }
    }
    let rows = log(exp(own) + sum(v, member.bankTexts)) + log(exp(own) + sum(t, member.bankImages))
    return Float(own - 0.5 * rows)
  }

  @Test func rePairedCaptionsAreNeverThePairsOwn() {
    let repairing = Repairing(ensemble)
    for r in 0..<ensemble.bank.count {
      let pair = ensemble.bank[r]
      let chosen = repairing.choose(
        pair.hash, caption: pair.caption, text: ensemble.members[0].bankTexts[(r * 6)..<(r * 6 + 6)]
      )
      #expect(chosen.random != r && chosen.cluster != r)
      let same = repairing.choose(
        pair.hash, caption: pair.caption, text: ensemble.members[0].bankTexts[(r * 6)..<(r * 6 + 6)]
      )
      #expect(same == chosen, "drawn by the content hash")
    }
  }

  @Test func clusterRePairingStaysInTheCaptionsClusterWhereItCan() {
    let repairing = Repairing(ensemble)
    for r in 0..<ensemble.bank.count {
      let cluster = ensemble.bankClusters[r]
      guard ensemble.bankClusters.count(where: { $0 == cluster }) > 1 else { continue }
      let text = ensemble.members[0].bankTexts[(r * 6)..<(r * 6 + 6)]
      let chosen = repairing.choose(
        ensemble.bank[r].hash, caption: ensemble.bank[r].caption, text: text)
      #expect(ensemble.bankClusters[chosen.cluster] == cluster)
    }
  }
}
