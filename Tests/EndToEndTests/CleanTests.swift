import Foundation
import Shards
import Testing

@testable import Pipeline

@Suite struct CleanTests {
  @Test func everyPairReadIsKeptOrRejectedByteForByte() throws {
    let shop = try Workshop(pairs: 200)
    let outcome = try shop.clean(out: "out")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let ledger = try shop.manifest().ledger
    #expect(ledger.read == 200)
    #expect(ledger.kept + ledger.totalRejected == 200)
    #expect(ledger.kept > 0 && ledger.totalRejected > 0)

    let input = try shop.samples("in")
    let clean = try shop.samples("out/clean")
    let rejected = try shop.samples("out/rejected")
    #expect(clean.count == ledger.kept)
    #expect(rejected.count == ledger.totalRejected)
    let known = Dictionary(uniqueKeysWithValues: input.map { ($0.key, $0) })
    for sample in clean { #expect(sample == known[sample.key]) }
    for sample in rejected {
      #expect(Array(sample.members.dropLast()) == known[sample.key]?.members)
      #expect(sample.members.last?.path.hasSuffix(".winnow.json") == true)
    }
    // In input order, and none twice.
    let keptKeys = Set(clean.map(\.key))
    #expect(clean == input.filter { keptKeys.contains($0.key) })
    #expect(keptKeys.isDisjoint(with: rejected.map(\.key)))
  }

  @Test func aDroppedPairIsExplained() throws {
    let shop = try Workshop(pairs: 200)
    let outcome = try shop.clean(out: "out", "--keep-fraction", "0.8")
    #expect(outcome.errors.contains("95 % confidence"))
    let threshold = try NoiseModelFile(of: RunDirectory("\(shop.root)/out")).model.scoreThreshold
    var explained = 0
    for note in try shop.rejectionNotes("out") where note.reason == Reason.mismatch {
      let verdict = try #require(note.verdict)
      let scores = try #require(note.scores)
      #expect(verdict.threshold == threshold)
      #expect(abs(Double(verdict.score) + verdict.below - threshold) < 1e-9 && verdict.below > 0)
      let mean = scores.values.reduce(0, +) / Float(scores.count)
      #expect(abs(mean - verdict.score) < 1e-5)
      #expect(Set(verdict.against) == Set(scores.filter { Double($0.value) < threshold }.keys))
      #expect(!verdict.against.isEmpty)
      #expect(try #require(verdict.bankCaption).isEmpty == false)
      #expect(verdict.bankFitsBetter == (try #require(verdict.bankScore) > verdict.score))
      explained += 1
    }
    #expect(explained == 40)
  }

  @Test(arguments: ["cosine", "in-batch-likelihood", "pseudo-class"])
  func otherWaysOfScoringGiveOtherScores(_ method: String) throws {
    let shop = try Workshop(pairs: 200)
    #expect(try shop.clean(out: "out").status == 0)
    let outcome = try shop.clean(out: "other", "--ensemble", "out", "--scoring", method)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let manifest = try Manifest(of: RunDirectory("\(shop.root)/other"))
    #expect(manifest.provenance.configuration.score?.method.rawValue == method)
    #expect(manifest.provenance.ensembleDigest == (try shop.manifest().provenance.ensembleDigest))
    #expect(
      try shop.tree("out")["noise-model.json"] != (try shop.tree("other")["noise-model.json"]))
    let again = try shop.clean(out: "other", "--ensemble", "out")
    #expect(again.status == 1 && again.errors.contains("score.method"))
  }

  @Test func scoresOfOneMethodGoThroughFitAndFilterAndDontMixWithAnothers() throws {
    let shop = try Workshop(pairs: 200)
    #expect(try shop.clean(out: "out").status == 0)
    let pipeline = ["--pipeline", "tiny.yaml"]
    func winnow(_ arguments: String...) throws -> Workshop.Outcome {
      try Workshop.run(Workshop.binary, arguments + pipeline, in: shop.root)
    }
    let scored = try winnow(
      "score", "in", "--ensemble", "out", "--out", "other", "--scoring", "cosine")
    #expect(scored.status == 0, "\(scored.errors)")
    #expect(try winnow("fit", "other").status == 0)
    let filtered = try winnow("filter", "in", "--out", "other")
    #expect(filtered.status == 0, "\(filtered.errors)")
    let mixed = try winnow("fit", "out", "other", "--out", "both")
    #expect(mixed.status == 2 && mixed.errors.contains("scored alike"), "\(mixed.errors)")
  }

  @Test func standardOutputListsTheCleanShardsAndSizesNamesTheirPairs() throws {
    let shop = try Workshop(pairs: 200)
    let outcome = try shop.clean(out: "out")
    let manifest = try shop.manifest()
    #expect(outcome.lines == manifest.clean.map { "out/clean/\($0.file)" })
    let data = try Data(contentsOf: URL(fileURLWithPath: "\(shop.root)/out/clean/sizes.json"))
    let sizes = try JSONDecoder().decode([String: Int].self, from: data)
    #expect(sizes == Dictionary(uniqueKeysWithValues: manifest.clean.map { ($0.file, $0.pairs) }))
    #expect(outcome.errors.contains("pairs read                      200"))
    #expect(outcome.errors.contains("--train-num-samples \(manifest.ledger.kept)"))
  }

  @Test func runsWithOneTwoAndSevenWorkersWriteTheSameTree() throws {
    // More shards in and out than workers.
    let shop = try Workshop(pairs: 200, shards: 20, pipeline: TinyCorpus.pipeline(shardSize: 15))
    for (out, workers) in [("one", "1"), ("two", "2"), ("again", "2"), ("seven", "7")] {
      let outcome = try shop.clean(out: out, "--workers", workers, "--quiet")
      #expect(outcome.status == 0)
      #expect(outcome.errors == "")
    }
    let one = try shop.tree("one")
    #expect(one.keys.contains("manifest.json") && one.keys.contains("clean/000000.tar.zst"))
    #expect(differences(one, try shop.tree("two")) == [])
    #expect(differences(one, try shop.tree("again")) == [])
    #expect(differences(one, try shop.tree("seven")) == [])
  }

  @Test func theStagesOneByOneWriteWhatCleanWrites() throws {
    let shop = try Workshop(pairs: 200)
    #expect(try shop.clean(out: "whole").status == 0)
    for stage in ["train", "score"] {
      let outcome = try shop.winnow(
        stage, "in", "--pipeline", "tiny.yaml", "--out", "staged")
      #expect(outcome.status == 0, "\(outcome.errors)")
    }
    #expect(try shop.winnow("fit", "staged", "--pipeline", "tiny.yaml").status == 0)
    let last = try shop.winnow("filter", "in", "--pipeline", "tiny.yaml", "--out", "staged")
    #expect(last.status == 0, "\(last.errors)")
    #expect(differences(try shop.tree("whole"), try shop.tree("staged")) == [])
  }

  @Test func anEnsembleFromElsewhereJudgesAsItDidThere() throws {
    let shop = try Workshop(pairs: 200)
    #expect(try shop.clean(out: "first").status == 0)
    let outcome = try shop.clean(out: "second", "--ensemble", "first")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(
      differences(try shop.tree("first"), try shop.tree("second")) == ["manifest.json"])
    // What taught an ensemble from elsewhere isn't known here, so it isn't told.
    #expect(try shop.manifest("first").provenance.configuration.judges != nil)
    #expect(try shop.manifest("second").provenance.configuration.judges == nil)
    #expect(
      try shop.manifest("first").provenance.configuration.read
        == shop.manifest("second").provenance.configuration.read)
    // Nor by a run that goes on without the option.
    try FileManager.default.removeItem(atPath: "\(shop.root)/second/manifest.json")
    #expect(try shop.clean(out: "second").status == 0)
    #expect(try shop.manifest("second").provenance.configuration.judges == nil)
  }

  @Test func aSecondRunFindsNothingNew() throws {
    let shop = try Workshop(pairs: 200)
    #expect(try shop.clean(out: "out").status == 0)
    let before = try shop.tree("out")
    let outcome = try shop.clean(out: "out")
    #expect(outcome.status == 0)
    #expect(outcome.output == "")
    #expect(outcome.errors.contains("Nothing new"))
    #expect(differences(before, try shop.tree("out")) == [])
  }

  @Test func aListOnStandardInputCleansLikeAFolder() throws {
    let shop = try Workshop(pairs: 200)
    #expect(try shop.clean(out: "folder").status == 0)
    let list = (0..<4).map { "in/00000\($0).tar\n" }.joined()
    let outcome = try shop.winnow(
      "clean", "-", "--pipeline", "tiny.yaml", "--out", "list", input: list)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(differences(try shop.tree("folder"), try shop.tree("list")) == [])
  }

  @Test func shardsMovedElsewhereAreTheSameShards() throws {
    let shop = try Workshop(pairs: 200)
    #expect(try shop.clean(out: "out").status == 0)
    #expect(rename("\(shop.root)/in", "\(shop.root)/moved") == 0)
    let outcome = try shop.clean("moved", out: "out")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.errors.contains("Nothing new"))
  }

  @Test func plainWritesTarsWithTheSameSamples() throws {
    let shop = try Workshop(pairs: 200)
    #expect(try shop.clean(out: "zst").status == 0)
    let outcome = try shop.clean(out: "plain", "--plain")
    #expect(outcome.status == 0)
    #expect(outcome.lines.first == "plain/clean/000000.tar")
    #expect(try shop.samples("zst/clean") == shop.samples("plain/clean"))
  }

  @Test func aKeepFractionKeepsThatShareAndAMaxNoiseTheRightSentence() throws {
    let shop = try Workshop(pairs: 200)
    let half = try shop.clean(out: "half", "--keep-fraction", "0.5")
    #expect(half.status == 0, "\(half.errors)")
    #expect((90...110).contains(try shop.manifest("half").ledger.kept))
    let all = try shop.clean(out: "all", "--ensemble", "half", "--max-noise", "1")
    #expect(all.status == 0, "\(all.errors)")
    #expect(try shop.manifest("all").ledger.kept == 200)
    let none = try shop.clean(out: "none", "--ensemble", "half", "--max-noise", "0")
    #expect(none.status == 0, "\(none.errors)")
    #expect(try shop.manifest("none").noise.reachable == false)
    #expect(none.errors.contains("No cut reaches the noise asked for"))
  }

  @Test func aRunThatKeepsNothingSaysSo() throws {
    let shop = try Workshop(pairs: 200)
    let outcome = try shop.clean(out: "out", "--keep-fraction", "0")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(try shop.manifest().ledger.rejected == ["mismatch": 200])
    #expect(outcome.errors.contains("No pair was kept"))
    #expect(outcome.output == "")
  }

  @Test func equalKeysNeverStandNextToEachOther() throws {
    let shop = try Workshop()
    try FileManager.default.createDirectory(
      atPath: "\(shop.root)/in", withIntermediateDirectories: true)
    // Every sample of the second shard has the last key of the first.
    try TinyCorpus.write(
      (0..<150).flatMap { TinyCorpus.sample($0) }, to: "\(shop.root)/in/a.tar")
    for (number, i) in (150..<154).enumerated() {
      try TinyCorpus.write(
        TinyCorpus.sample(i, key: "000149"), to: "\(shop.root)/in/b\(number).tar")
    }
    let outcome = try shop.clean(out: "out", "--keep-fraction", "1")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let manifest = try shop.manifest()
    #expect(manifest.ledger.kept == 154)
    #expect(manifest.clean.map(\.pairs) == [40, 40, 40, 30, 1, 1, 1, 1])
  }
}
