import Foundation
import Testing

@testable import Pipeline

@Suite struct DryRunTests {
  @Test func aDryRunTellsWhatTheRunComesToAndWritesNothing() throws {
    let shop = try Workshop(pairs: 3000, shards: 300, pipeline: TinyCorpus.pipeline(shardSize: 500))
    let before = try FileManager.default.subpathsOfDirectory(atPath: shop.root)
    let dry = try shop.clean(out: "out", "--dry-run", "--json", "--log", "log", "--metrics", "prom")
    #expect(dry.status == 0, "\(dry.errors)")
    #expect(try FileManager.default.subpathsOfDirectory(atPath: shop.root) == before)
    let told = try #require(
      try JSONSerialization.jsonObject(with: Data(dry.output.utf8)) as? [String: Any])
    #expect(told["sampled_pairs"] as? Int == 2000)
    // Small shards are read ahead of, so that the estimate is a little low.
    #expect((2000...3100).contains(told["pairs"] as? Int ?? 0))
    #expect(try shop.clean(out: "out").status == 0)
    let manifest = try shop.manifest()
    let kept = Double(manifest.ledger.kept) / 3000
    #expect(abs((told["kept"] as? Double ?? 0) - kept) < 0.15)
    let bytes = Double(manifest.clean.reduce(0) { $0 + $1.bytes })
    #expect((0.5...1.5).contains((told["clean_bytes"] as? Double ?? 0) / bytes))
    let text = try shop.clean(out: "other", "--dry-run", "--ensemble", "out")
    #expect(text.status == 0, "\(text.errors)")
    #expect(text.output.contains("would be kept") && text.output.contains("time, about"))
    #expect(!FileManager.default.fileExists(atPath: "\(shop.root)/other"))
  }

  @Test(arguments: [["--json"], ["--dry-run", "--rebuild"]])
  func flagsThatDoNotGoTogetherAreRefused(flags: [String]) throws {
    let shop = try Workshop(pairs: 3)
    let outcome = try Workshop.run(
      Workshop.binary, ["clean", "in", "--out", "out"] + flags, in: shop.root)
    #expect(outcome.status == 2)
  }
}
