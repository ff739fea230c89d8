import Foundation
import Shards
import Testing

@testable import Pipeline

/// Several processes that share a stage.
@Suite struct RankTests {
  @Test func ranksWriteWhatOneProcessWrites() throws {
    let shop = try Workshop(pairs: 200, shards: 20, pipeline: TinyCorpus.pipeline(shardSize: 15))
    #expect(try shop.clean(out: "whole").status == 0)
    func run(_ arguments: String...) throws -> Workshop.Outcome {
      try Workshop.run(
        Workshop.binary, arguments + ["--pipeline", "tiny.yaml", "--out", "out"], in: shop.root)
    }
    #expect(try run("train", "in").status == 0)
    // At once, since they share the folder; the last one later, since it may have died.
    let processes = try (0..<2).map { rank in
      try shop.start(
        "score", "in", "--pipeline", "tiny.yaml", "--out", "out", "--rank", "\(rank)",
        "--world-size",
        "3")
    }
    for process in processes { process.waitUntilExit() }
    #expect(processes.allSatisfy { $0.terminationStatus == 0 })
    let early = try run("fit")
    #expect(early.status == 1 && early.errors.contains("is missing"), "\(early.errors)")
    #expect(try run("score", "in", "--rank", "2", "--world-size", "3").status == 0)
    #expect(try run("fit").status == 0)
    #expect(try run("filter", "in", "--rank", "1", "--world-size", "2").status == 0)
    #expect(!FileManager.default.fileExists(atPath: "\(shop.root)/out/manifest.json"))
    let half = try shop.winnow("publish", "--out", "out")
    #expect(half.status == 1 && half.errors.contains("with every rank"), "\(half.errors)")
    #expect(try run("filter", "in", "--rank", "0", "--world-size", "2").status == 0)
    let published = try shop.winnow("publish", "--out", "out")
    #expect(published.status == 0, "\(published.errors)")
    #expect(published.lines.count == (try shop.manifest("whole").clean.count))
    #expect(differences(try shop.tree("whole"), try shop.tree("out")) == [])
  }

  @Test func ranksReportDriftAndSayThatThePolicyIsNotTheirs() throws {
    let pipeline = TinyCorpus.pipeline(epochs: 12) + "\nrefresh: {onDrift: refit}\n"
    let shop = try Workshop(pairs: 600, shards: 200, pipeline: pipeline)
    #expect(try shop.clean(out: "out").status == 0)
    var members: [Member] = []
    for i in 600..<800 {
      var sample = TinyCorpus.sample(i)
      sample[1].bytes = TinyCorpus.sample(i + 7 + i % 5)[1].bytes
      members += sample
    }
    try TinyCorpus.write(members, to: "\(shop.root)/in/drifted.tar")
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

  @Test func aRankRunsOnceAndAWholeRunWaitsForAll() throws {
    let shop = try Workshop(pairs: 120, shards: 20)
    let directory = RunDirectory("\(shop.root)/out")
    var part = directory
    part.part = ".0-of-2"
    let held = try RunLock(part, rank: Rank(index: 0, count: 2))
    let again = try shop.winnow(
      "score", "in", "--out", "out", "--rank", "0", "--world-size", "2", "--ensemble", "none")
    #expect(again.status == 75, "\(again.errors)")
    #expect(try shop.clean(out: "out").status == 75)
    let other = try shop.winnow(
      "score", "in", "--out", "out", "--rank", "1", "--world-size", "2", "--ensemble", "none")
    #expect(other.status == 2 && other.errors.contains("holds no ensemble.json"), "\(other.errors)")
    withExtendedLifetime(held) {}
  }

  @Test(arguments: [
    ["--rank", "2", "--world-size", "2"], ["--rank", "0"], ["--world-size", "2"],
    ["--rank", "x", "--world-size", "2"], ["--rank", "auto", "--world-size", "2"],
    ["--rank", "auto"],
  ])
  func ranksThatCannotBeAreRefused(arguments: [String]) throws {
    let shop = try Workshop(pairs: 3)
    let outcome = try Workshop.run(
      Workshop.binary, ["score", "in", "--out", "out"] + arguments, in: shop.root)
    #expect(outcome.status == 2, "\(outcome.errors)")
    #expect(!FileManager.default.fileExists(atPath: "\(shop.root)/out"))
  }
}
