import Foundation
import Shards
import Testing

@testable import Pipeline

/// New pairs that score otherwise than those that the noise model was fitted on.
@Suite struct DriftTests {
  @Test func pairsThatScoreOtherwiseAreReportedOrLeadToARebuild() throws {
    let shop = try Workshop(pairs: 600, shards: 200, pipeline: TinyCorpus.pipeline(epochs: 12))
    for out in ["report", "refit", "retrain"] {
      let ensemble = out == "report" ? [] : ["--ensemble", "report"]
      let outcome = try Workshop.run(
        Workshop.binary,
        ["clean", "in", "--pipeline", "tiny.yaml", "--out", out]
          + (out == "retrain" ? [] : ensemble),
        in: shop.root)
      #expect(outcome.status == 0, "\(outcome.errors)")
    }
    try TinyCorpus.writeDrifted(to: "\(shop.root)/in/drifted.tar")
    let report = try shop.clean(out: "report")
    #expect(report.status == 0, "\(report.errors)")
    #expect(report.errors.contains("don't score like"))
    #expect(try shop.manifest("report").increments.last?.drift?.isDrift == true)
    #expect(try shop.manifest("report").increments.count == 2)
    for policy in ["refit", "retrain"] {
      try (TinyCorpus.pipeline(epochs: 12) + "\nrefresh: {onDrift: \(policy)}\n")
        .write(toFile: "\(shop.root)/\(policy).yaml", atomically: true, encoding: .utf8)
      let outcome = try shop.winnow("clean", "in", "--pipeline", "\(policy).yaml", "--out", policy)
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(outcome.errors.contains("the folder is built anew"))
      #expect(try shop.manifest(policy).increments.map(\.pairs) == [800])
      let trees = try [shop.tree("report"), shop.tree(policy)]
      let judges = trees.map { $0["ensemble/ensemble.json"] }
      #expect((judges[0] == judges[1]) == (policy == "refit"))
      // The noise model is of the new pairs too, and by the same judges those are worse.
      let models = trees.map { $0["noise-model.json"] }
      #expect(models[0] != models[1] && models[1] != nil)
      #expect(try NoiseModelFile(of: RunDirectory("\(shop.root)/\(policy)")).pairs == 800)
      let rates = try ["report", policy].map { try shop.manifest($0).noise.noiseRate }
      #expect(policy == "retrain" || rates[1] > rates[0], "\(rates)")
    }
  }

  /// To Swift, `é` written in two ways is one string.
  @Test func shardsWhoseNamesDifferInNormalFormOnlyAreAllInTheNewFolder() throws {
    let pipeline = TinyCorpus.pipeline(epochs: 12) + "\nrefresh: {onDrift: refit}\n"
    let shop = try Workshop(pairs: 600, shards: 200, pipeline: pipeline)
    for (number, name) in [(1, "e\u{301}"), (2, "\u{E9}")] {
      #expect(rename("\(shop.root)/in/00000\(number).tar", "\(shop.root)/in/\(name).tar") == 0)
    }
    #expect(try shop.clean(out: "out").status == 0)
    #expect(try shop.manifest().increments.map(\.pairs) == [600])
    try TinyCorpus.writeDrifted(to: "\(shop.root)/in/drifted.tar")
    let outcome = try shop.clean(out: "out")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.errors.contains("the folder is built anew"), "\(outcome.errors)")
    #expect(try shop.manifest().increments.map(\.pairs) == [800])
    #expect(try shop.manifest().ledger.read == 800)
    let keys = try (shop.samples("out/clean") + shop.samples("out/rejected")).map(\.key)
    #expect(keys.count == 800 && Set(keys).count == 800)
    #expect(try shop.clean(out: "out").errors.contains("Nothing new"))
  }

  @Test func whatCannotBeHadAgainKeepsTheFolderFromBeingBuiltAnewByItself() throws {
    let shop = try Workshop(pairs: 600, shards: 200, pipeline: TinyCorpus.pipeline(epochs: 12))
    #expect(try shop.clean(out: "restored", "--keep-fraction", "0.9").status == 0)
    try FileManager.default.copyItem(
      atPath: "\(shop.root)/restored", toPath: "\(shop.root)/gone")
    try FileManager.default.copyItem(
      atPath: "\(shop.root)/restored", toPath: "\(shop.root)/changed")
    let key = String(
      decoding: try #require(try shop.samples("restored/rejected").first).key, as: UTF8.self)
    #expect(try shop.winnow("restore", key, "--out", "restored").status == 0)
    try TinyCorpus.writeDrifted(to: "\(shop.root)/in/drifted.tar")
    try (TinyCorpus.pipeline(epochs: 12) + "\nrefresh: {onDrift: refit}\n")
      .write(toFile: "\(shop.root)/refit.yaml", atomically: true, encoding: .utf8)
    func expectNotRebuilt(_ out: String, new: Int = 200, because obstacle: String) throws {
      let outcome = try shop.winnow(
        "clean", "in", "--pipeline", "refit.yaml", "--out", out, "--keep-fraction", "0.9")
      #expect(outcome.status == 0, "\(outcome.errors)")
      // Else there is nothing that the policy is for.
      #expect(outcome.errors.contains("the \(new) new pairs don't score like the 600"))
      #expect(
        outcome.errors.contains(
          "the folder isn't built anew by itself: pairs that it holds \(obstacle)\n"),
        "\(outcome.errors)")
      #expect(try shop.manifest(out).increments.map(\.pairs) == [600, new])
      #expect(!shop.exists("\(out).previous") && !shop.exists("\(out).rebuild"))
    }
    try expectNotRebuilt("restored", because: "were restored")
    #expect(try shop.manifest("restored").restored.map(\.key) == [key])
    try FileManager.default.removeItem(atPath: "\(shop.root)/in/000001.tar")
    try expectNotRebuilt("gone", because: "come from shards that changed or are gone")
    try TinyCorpus.write(
      (900..<920).flatMap { TinyCorpus.sample($0) }, to: "\(shop.root)/in/000001.tar")
    try expectNotRebuilt("changed", new: 220, because: "come from shards that changed or are gone")
  }

  @Test func ranksReportDriftAndSayThatThePolicyIsNotTheirs() throws {
    let pipeline = TinyCorpus.pipeline(epochs: 12) + "\nrefresh: {onDrift: refit}\n"
    let shop = try Workshop(pairs: 600, shards: 200, pipeline: pipeline)
    #expect(try shop.clean(out: "out").status == 0)
    try TinyCorpus.writeDrifted(to: "\(shop.root)/in/drifted.tar")
    for command in [
      ["score", "in", "--rank", "0", "--world-size", "1"], ["filter", "in", "--rank", "0"],
      ["filter", "in", "--rank", "1"],
    ] {
      let ranks = command.contains("filter") ? ["--world-size", "2"] : []
      let outcome = try Workshop.run(
        Workshop.binary, command + ranks + ["--pipeline", "tiny.yaml", "--out", "out"],
        in: shop.root)
      #expect(outcome.status == 0, "\(command): \(outcome.errors)")
    }
    let published = try shop.winnow("publish", "--pipeline", "tiny.yaml", "--out", "out")
    #expect(published.status == 0, "\(published.errors)")
    #expect(published.errors.contains("don't score like"))
    #expect(
      published.errors.contains("onDrift refit isn't carried out")
        && published.errors.contains("--rebuild --ensemble out"), "\(published.errors)")
    #expect(try shop.manifest().increments.map(\.pairs) == [600, 200])
  }
}
