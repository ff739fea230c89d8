import Foundation
import Testing

@testable import Pipeline

/// A shard that goes away, changes or can't be opened any more between two passes or stages. The
/// run ends with an error that names it, nothing half-written stands under a final name, and once
/// the shard is back the same command ends as if nothing had been.
@Suite struct VanishedShardTests {
  @Test func aShardThatGoesAwayBetweenThePasses() throws {
    let shop = try Workshop(pairs: 200, pipeline: TinyCorpus.pipeline(epochs: 150))
    #expect(try shop.clean(out: "whole").status == 0)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/bash")
    process.arguments = [
      "-c", "exec '\(Workshop.binary.path)' clean in --pipeline tiny.yaml --out out 2> errors",
    ]
    process.currentDirectoryURL = URL(fileURLWithPath: shop.root)
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    // The pairs are gathered; judging is the pass that finds it gone.
    #expect(shop.appears("out/.winnow/training/judges/*.safetensors"))
    let shard = "\(shop.root)/in/000002.tar"
    #expect(rename(shard, shard + ".away") == 0)
    process.waitUntilExit()
    let errors = try String(contentsOfFile: "\(shop.root)/errors", encoding: .utf8)
    #expect(process.terminationStatus == 1, "\(errors)")
    #expect(errors.contains("/in/000002.tar"), "\(errors)")
    try shop.expectNothingHalfWritten("out")
    #expect(rename(shard + ".away", shard) == 0)
    #expect(try shop.clean(out: "out").status == 0)
    #expect(differences(try shop.tree("whole"), try shop.tree("out")) == [])
  }

  @Test func aShardThatIsGoneWhenItIsToBeWrittenIsNamedAndOnceItIsBackTheRunGoesOn() throws {
    let shop = try Workshop(pairs: 200)
    // Once there is a noise model, pairs are read only to be written, and one writer reads the shards in order: the first
    // takes the last one away.
    let first =
      "pipe:if [ -e out/noise-model.json ] && [ ! -e away ]; then mkdir away; "
      + "mv in/000003.tar away; fi; cat in/000000.tar"
    func run(_ out: String) throws -> Workshop.Outcome {
      try shop.winnow(
        "clean", first, "in/{000001..000003}.tar", "--pipeline", "tiny.yaml", "--out", out,
        "--workers", "1")
    }
    let whole = try run("whole")
    #expect(whole.status == 0, "\(whole.errors)")
    let refused = try run("out")
    #expect(refused.status == 1, "\(refused.errors)")
    #expect(
      refused.errors.contains("/in/000003.tar: No such file or directory"), "\(refused.errors)")
    try shop.expectNothingHalfWritten("out")
    #expect(rename("\(shop.root)/away/000003.tar", "\(shop.root)/in/000003.tar") == 0)
    let healed = try run("out")
    #expect(healed.status == 0, "\(healed.errors)")
    #expect(differences(try shop.tree("whole"), try shop.tree("out")) == [])
  }

  @Test func aShardThatIsGoneBeforeThePlanIsNamedAndFilteredOnceItIsBack() throws {
    let shop = try Workshop(pairs: 200)
    try shop.judge()
    try shop.goOn()
    let shard = URL(fileURLWithPath: "\(shop.root)/in/000002.tar")
    let pin = URL(fileURLWithPath: "\(shop.root)/out/.winnow/increments/000000.json")
    let (bytes, pinned) = (try Data(contentsOf: shard), try Data(contentsOf: pin))
    try FileManager.default.removeItem(at: shard)
    let refused = try shop.stage("filter", "in")
    #expect(refused.status == 1, "\(refused.errors)")
    #expect(
      refused.errors.contains("/in/000002.tar changed during the run (it isn't what was scored)"),
      "\(refused.errors)")
    try shop.expectNothingHalfWritten("out")
    // It is still wanted.
    #expect(try Data(contentsOf: pin) == pinned)
    // From a backup: another file, of another time.
    try bytes.write(to: shard)
    let healed = try shop.stage("filter", "in")
    #expect(healed.status == 0, "\(healed.errors)")
    #expect(differences(try shop.tree("whole"), try shop.tree("out")) == [])
  }

  @Test func aShardThatChangesOrGoesAwayBetweenTheStagesIsNamedAndOnceItIsBackTheyGoOn() throws {
    let shop = try Workshop(pairs: 200)
    try shop.judge()
    try shop.goOn()
    let shard = "\(shop.root)/in/000002.tar"
    let others = (300..<350).flatMap { TinyCorpus.sample($0) }
    func expectRefused(_ outcome: Workshop.Outcome) throws {
      #expect(outcome.status == 1, "\(outcome.errors)")
      #expect(outcome.errors.contains("/in/000002.tar changed during the run"), "\(outcome.errors)")
      try shop.expectNothingHalfWritten("out")
    }
    // After it was scored.
    #expect(rename(shard, shard + ".away") == 0)
    try TinyCorpus.write(others, to: shard)
    try expectRefused(try shop.stage("filter", "in"))
    #expect(rename(shard + ".away", shard) == 0)
    let half = try shop.stage("filter", "in", "--rank", "0", "--world-size", "2")
    #expect(half.status == 0, "\(half.errors)")
    // After part of what is made of it was published.
    #expect(rename(shard, shard + ".away") == 0)
    try expectRefused(try shop.stage("filter", "in", "--rank", "1", "--world-size", "2"))
    try TinyCorpus.write(others, to: shard)
    try expectRefused(try shop.stage("filter", "in", "--rank", "1", "--world-size", "2"))
    #expect(rename(shard + ".away", shard) == 0)
    for outcome in try [
      shop.stage("filter", "in", "--rank", "1", "--world-size", "2"), shop.stage("publish"),
    ] {
      #expect(outcome.status == 0, "\(outcome.errors)")
    }
    #expect(differences(try shop.tree("whole"), try shop.tree("out")) == [])
  }

  @Test(.enabled(if: Workshop.unprivileged != nil, "needs setpriv"))
  func aShardThatCannotBeOpenedOneNightIsCleanedTheNext() throws {
    let shop = try Workshop(pairs: 200)
    func run(_ command: String) throws -> Workshop.Outcome {
      try shop.stage(command, "in", by: try #require(Workshop.unprivileged))
    }
    #expect(try run("train").status == 0)
    let shard = "\(shop.root)/in/000002.tar"
    #expect(chmod(shard, 0) == 0)
    let refused = try run("clean")
    #expect(refused.status == 1, "\(refused.errors)")
    #expect(
      refused.errors.contains("in/000002.tar: it could be read when it was pinned"),
      "\(refused.errors)")
    try shop.expectNothingHalfWritten("out")
    #expect(
      !FileManager.default.fileExists(
        atPath: "\(shop.root)/out/.winnow/increments/000000.plan.json"))
    #expect(chmod(shard, 0o644) == 0)
    let healed = try run("clean")
    #expect(healed.status == 0, "\(healed.errors)")
    #expect(try shop.manifest().ledger.read == 200)
  }
}
