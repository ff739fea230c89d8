import Foundation
import Shards
import Testing

@testable import Pipeline

/// Several processes that share a stage.
@Suite struct RankTests {
  @Test func ranksWriteWhatOneProcessWrites() throws {
    let shop = try Workshop(pairs: 200, shards: 20, pipeline: TinyCorpus.pipeline(shardSize: 60))
    func run(_ out: String, _ arguments: String...) throws -> Workshop.Outcome {
      try Workshop.run(
        Workshop.binary, arguments + ["--pipeline", "tiny.yaml", "--out", out], in: shop.root)
    }
    func copy(_ folder: String, to other: String) throws {
      try FileManager.default.copyItem(
        atPath: "\(shop.root)/\(folder)", toPath: "\(shop.root)/\(other)")
    }
    // Trained once; that `clean` trains the same is told elsewhere.
    #expect(try run("whole", "train", "in").status == 0)
    try copy("whole", to: "out")
    try copy("whole", to: "array")
    #expect(try shop.clean(out: "whole").status == 0)
    let whole = try shop.tree("whole")

    // At once, since they share the folder; the last one later, since it may have died.
    let processes = try (0..<2).map { rank in
      try shop.start(
        "score", "in", "--pipeline", "tiny.yaml", "--out", "out", "--rank", "\(rank)",
        "--world-size", "3")
    }
    for process in processes { process.waitUntilExit() }
    #expect(processes.allSatisfy { $0.terminationStatus == 0 })
    let early = try run("out", "fit")
    #expect(early.status == 1 && early.errors.contains("is missing"), "\(early.errors)")
    #expect(try run("out", "score", "in", "--rank", "2", "--world-size", "3").status == 0)
    #expect(try run("out", "fit").status == 0)
    #expect(try run("out", "filter", "in", "--rank", "1", "--world-size", "2").status == 0)
    #expect(!FileManager.default.fileExists(atPath: "\(shop.root)/out/manifest.json"))
    let half = try shop.winnow("publish", "--out", "out")
    #expect(half.status == 1 && half.errors.contains("with every rank"), "\(half.errors)")
    #expect(try run("out", "filter", "in", "--rank", "0", "--world-size", "2").status == 0)
    let published = try shop.winnow("publish", "--out", "out")
    #expect(published.status == 0, "\(published.errors)")
    #expect(published.lines.count == (try shop.manifest("whole").clean.count))
    #expect(differences(whole, try shop.tree("out")) == [])

    // Two tasks of a job array, and then more ranks than shards to write.
    try runTasks("score", shop)
    #expect(try run("array", "fit").status == 0)
    try copy("array", to: "many")
    try runTasks("filter", shop)
    let ranks = try shop.manifest("whole").clean.count + 4
    for rank in 0..<ranks {
      let outcome = try run("many", "filter", "in", "--rank", "\(rank)", "--world-size", "\(ranks)")
      #expect(outcome.status == 0, "\(outcome.errors)")
    }
    for out in ["array", "many"] {
      #expect(try shop.winnow("publish", "--out", out).status == 0)
      #expect(differences(whole, try shop.tree(out)) == [])
    }
  }

  /// A stage in the folder `array` as tasks 4 and 6 of a SLURM array, which are ranks 0 and 1 of 2.
  private func runTasks(_ command: String, _ shop: Workshop) throws {
    for (rank, task) in [4, 6].enumerated() {
      let variables = ["ID=\(task)", "MIN=4", "MAX=6", "STEP=2", "COUNT=2"]
        .map { "SLURM_ARRAY_TASK_\($0)" }
      let outcome = try Workshop.run(
        URL(fileURLWithPath: "/usr/bin/env"),
        variables + [
          Workshop.binary.path, command, "in", "--pipeline", "tiny.yaml", "--out", "array",
          "--rank", "auto",
        ], in: shop.root)
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(
        outcome.errors.hasPrefix(
          "rank \(rank) of 2, from SLURM_ARRAY_TASK_ID=\(task) of 4-6:2\n"), "\(outcome.errors)")
    }
  }

  @Test func ranksGoOnWithAFolderThatGrewAsOneProcessDoes() throws {
    // What `publish` isn't told: more than chance makes of so few pairs.
    let pipeline = TinyCorpus.pipeline(shardSize: 60) + "\nrefresh: {minDrift: 0.5}\n"
    let shop = try Workshop(pairs: 200, shards: 20, pipeline: pipeline)
    #expect(try shop.clean(out: "whole").status == 0)
    try FileManager.default.copyItem(atPath: "\(shop.root)/whole", toPath: "\(shop.root)/out")
    for (name, range) in [("a", 200..<290), ("b", 290..<310), ("c", 310..<330)] {
      try TinyCorpus.write(
        range.flatMap { TinyCorpus.sample($0) }, to: "\(shop.root)/in/\(name).tar")
    }
    #expect(try shop.clean(out: "whole").status == 0)
    func run(_ command: String, ranks: Int) throws {
      let processes = try (0..<ranks).map { rank in
        try shop.start(
          command, "in", "--pipeline", "tiny.yaml", "--out", "out", "--rank", "\(rank)",
          "--world-size", "\(ranks)")
      }
      for process in processes { process.waitUntilExit() }
      #expect(processes.allSatisfy { $0.terminationStatus == 0 }, "\(command)")
    }
    // More of them than shards are new; the first to come pins those.
    try run("score", ranks: 5)
    try run("filter", ranks: 2)
    #expect(try shop.manifest().increments.map(\.pairs) == [200])
    let published = try shop.winnow("publish", "--out", "out")
    #expect(published.status == 0, "\(published.errors)")
    #expect(try shop.manifest().increments.map(\.pairs) == [200, 130])
    #expect(published.lines.count == (try shop.manifest().increments.last?.clean))
    #expect(try shop.manifest().increments.last?.drift?.threshold == 0.5)
    #expect(differences(try shop.tree("whole"), try shop.tree("out")) == [])
    #expect(try shop.clean(out: "out").errors.contains("Nothing new"))
  }

  @Test func aShardThatIsCutShortIsToldByTheRankThatReadsItAndByAllThatWriteOrPublish() throws {
    let shop = try Workshop(pairs: 200)
    // Inside an image.
    #expect(truncate("\(shop.root)/in/000001.tar", 61_000) == 0)
    func run(_ command: String..., rank: Int? = nil, status: Int32) throws {
      let share = rank.map { ["--rank", "\($0)", "--world-size", "2"] } ?? []
      let outcome = try Workshop.run(
        Workshop.binary, command + share + ["--pipeline", "tiny.yaml", "--out", "out"],
        in: shop.root)
      let what = "\(command + share): \(outcome.errors)"
      #expect(outcome.status == status, "\(what)")
      #expect(outcome.errors.contains("/in/000001.tar") == (status == 3), "\(what)")
    }
    try run("train", "in", status: 3)
    try run("score", "in", rank: 0, status: 0)
    try run("score", "in", rank: 1, status: 3)
    try run("fit", status: 0)
    for rank in 0..<2 { try run("filter", "in", rank: rank, status: 3) }
    try run("publish", status: 3)
    #expect(try shop.manifest().ledger.faults == ["truncated": 1])
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
    let whole = try shop.clean(out: "out")
    #expect(whole.status == 75)
    #expect(
      whole.errors.contains("another run (process \(getpid())) holds out"), "\(whole.errors)")
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
