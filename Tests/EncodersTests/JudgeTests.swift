import Foundation
import Testing

@testable import Encoders

@Suite struct JudgeTests {
  private let ensemble = Fixtures.ensemble()
  /// Captions of one word and of thirty, so that a pair's neighbours differ in length.
  private let pairs = (0..<40).map { number in
    let words = (0..<(number % 2 == 0 ? 1 : 30)).map { "w\(number)x\($0)" }
    return Fixtures.pair(number, caption: words.joined(separator: " "))
  }

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

  /// The scale of a fresh member, and the largest that a member can learn, where e^scale is no float.
  @Test(arguments: [10, 100] as [Float])
  func scoresAreThoseOfTheFormulaWithTheSameCaptionOrImageLeftOut(scale: Float) {
    var bank = ensemble.bank
    bank[5].hash.image = bank[2].hash.image
    bank[7].caption = bank[3].caption
    let member = ensemble.member(kind: 0, fold: 0)
    let scorer = BankLikelihood(
      EmbeddedBank(
        bank, images: member.bankImages, texts: member.bankTexts, dimension: 6, scale: scale))
    func row(_ rows: [Float], _ r: Int) -> [Float] { Array(rows[(r * 6)..<(r * 6 + 6)]) }
    func expect(
      _ score: Float, _ v: [Float], _ t: [Float], leftOutTexts: Set<Int>, leftOutImages: Set<Int>
    ) {
      let plain = plainScore(
        v, t, member, leftOutTexts: leftOutTexts, leftOutImages: leftOutImages, Double(scale))
      #expect(abs(score - plain) < 1e-5 * max(scale, abs(plain)), "\(score) against \(plain)")
    }
    let (v, t) = (row(member.bankImages, 2), row(member.bankTexts, 2))
    let own = (hash: bank[2].hash, caption: bank[2].caption)
    let stranger = (hash: Fixtures.pair(1).hash, caption: "another")
    let scores = scorer.scores(
      images: v + v, texts: t + t, of: [own, stranger], repairings: [[3, 0], [3, 2]])
    #expect(scores[0].observed != scores[1].observed)
    expect(scores[0].observed, v, t, leftOutTexts: [2, 5], leftOutImages: [2, 5])
    expect(scores[1].observed, v, t, leftOutTexts: [], leftOutImages: [])
    // Re-paired, the caption's own image is left out as well as the pair's.
    let (t3, t0) = (row(member.bankTexts, 3), row(member.bankTexts, 0))
    expect(scores[0].repaired[0], v, t3, leftOutTexts: [2, 5, 3, 7], leftOutImages: [2, 5, 3, 7])
    expect(scores[0].repaired[1], v, t0, leftOutTexts: [2, 5, 0], leftOutImages: [2, 5, 0])
    expect(scores[1].repaired[0], v, t3, leftOutTexts: [3, 7], leftOutImages: [3, 7])
    expect(scores[1].repaired[1], v, t, leftOutTexts: [2], leftOutImages: [2, 5])
  }

  @Test func bankScoresAreThoseOfRePairing() {
    var bank = ensemble.bank
    bank[7].caption = bank[3].caption
    let member = ensemble.member(kind: 0, fold: 0)
    for scale in [10, 100] as [Float] {
      let scorer = BankLikelihood(
        EmbeddedBank(
          bank, images: member.bankImages, texts: member.bankTexts, dimension: 6, scale: scale))
      let stranger = (hash: Fixtures.pair(1).hash, caption: bank[1].caption)
      let all = Array(bank.indices)
      let scores = scorer.scores(
        images: Array(member.bankImages[12..<18]), texts: Array(member.bankTexts[12..<18]),
        of: [stranger], repairings: [all], withBank: true)[0]
      for r in all {
        if r == 1 || r == 7 {
          #expect(scores.bank[r] == -.infinity, "the pair's own caption, and one seen before")
        } else {
          #expect(abs(scores.bank[r] - scores.repaired[r]) < 1e-4 * scale)
        }
      }
    }
  }

  @Test func theBestBankCaptionIsTheBestMeanOverTheKinds() throws {
    for (pair, score) in zip(pairs, Judge(ensemble, explains: true).score(pairs)) {
      let best = try #require(score.best)
      #expect(ensemble.bank[best.pair].caption != pair.caption)
      #expect(best.score > score.randomRepaired.reduce(0, +) / Float(ensemble.kinds.count) - 1e-3)
    }
  }

  /// The formula as `BankLikelihood` has it, in double precision.
  private func plainScore(
    _ v: [Float], _ t: [Float], _ member: Ensemble.Member, leftOutTexts: Set<Int>,
    leftOutImages: Set<Int>, _ scale: Double
  ) -> Float {
    func dot(_ a: [Float], _ b: ArraySlice<Float>) -> Double {
      zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    }
    let own = scale * dot(v, t[...])
    func sum(_ row: [Float], _ rows: [Float], _ leftOut: Set<Int>) -> Double {
      let terms = ensemble.bank.indices.filter { !leftOut.contains($0) }
      let up = Double(ensemble.bank.count) / Double(terms.count)
      return up * terms.reduce(0) { $0 + exp(scale * dot(row, rows[($1 * 6)..<($1 * 6 + 6)])) }
    }
    let byImage = log(exp(own) + sum(v, member.bankTexts, leftOutTexts))
    let byText = log(exp(own) + sum(t, member.bankImages, leftOutImages))
    return Float(own - 0.5 * (byImage + byText))
  }

  @Test func noTermOfASumIsLostHoweverFarApartTheyAre() {
    var sums = LogSums(
      [1, 0], [1, 0, -1, 0, -0.99, 0], columns: 3, dimension: 2, scale: 100)
    #expect(sums.logSum(row: 0, without: []) == 100)
    let two = -99 + log(1 + exp(-1.0))
    #expect(abs(sums.logSum(row: 0, without: [0]) - Float(two + log(1.5))) < 1e-4)
    #expect(sums.logSum(row: 0, without: [0, 1, 2]) == -.infinity)
  }

  @Test func rePairedCaptionsAreNeverThePairsOwn() {
    var ensemble = ensemble
    ensemble.bank[4].caption = ensemble.bank[1].caption
    ensemble.bank[6].hash.image = ensemble.bank[2].hash.image
    let repairing = BankRepairing(ensemble)
    for r in 0..<ensemble.bank.count {
      let pair = ensemble.bank[r]
      let chosen = repairing.choose(
        pair.hash, caption: pair.caption, text: ensemble.members[0].bankTexts[(r * 6)..<(r * 6 + 6)]
      )
      for other in [chosen.random, chosen.cluster] {
        #expect(ensemble.bank[other].caption != pair.caption)
        #expect(ensemble.bank[other].hash.image != pair.hash.image)
      }
      let same = repairing.choose(
        pair.hash, caption: pair.caption, text: ensemble.members[0].bankTexts[(r * 6)..<(r * 6 + 6)]
      )
      #expect(same == chosen, "drawn by the content hash")
    }
  }

  @Test func clusterRePairingStaysInTheCaptionsClusterWhereItCan() {
    let repairing = BankRepairing(ensemble)
    var compared = 0
    for r in 0..<ensemble.bank.count {
      let cluster = ensemble.bankClusters[r]
      guard ensemble.bankClusters.count(where: { $0 == cluster }) > 1 else { continue }
      let text = ensemble.members[0].bankTexts[(r * 6)..<(r * 6 + 6)]
      let chosen = repairing.choose(
        ensemble.bank[r].hash, caption: ensemble.bank[r].caption, text: text)
      #expect(ensemble.bankClusters[chosen.cluster] == cluster)
      compared += 1
    }
    #expect(compared > ensemble.bank.count / 2)
  }
}
