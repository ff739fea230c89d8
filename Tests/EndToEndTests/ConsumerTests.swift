import Foundation
import Shards
import Testing

@testable import Pipeline

/// The programs our users open the output with. The Python ones need `WINNOW_PYTHON`, an interpreter with webdataset,
/// numpy and safetensors; `make test` sets it.
@Suite struct ConsumerTests {
  private static let python = ProcessInfo.processInfo.environment["WINNOW_PYTHON"]

  /// What a script of `Tests/Peers` prints: one JSON object a line.
  private func run(
    _ script: String, _ paths: [String], in shop: Workshop
  ) throws -> [[String: Any]] {
    let python = try #require(Self.python)
    let peers = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../Peers/\(script)").standardizedFileURL.path
    let outcome = try Workshop.run(
      URL(fileURLWithPath: python), [peers] + paths, in: shop.root)
    #expect(outcome.status == 0, "\(outcome.errors)")
    return try outcome.lines.compactMap {
      try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
    }
  }

  /// By coreutils, so that the peer's own hash isn't taken for granted.
  private func sha256(_ members: [Member], in shop: Workshop) throws -> [String] {
    try FileManager.default.createDirectory(
      atPath: "\(shop.root)/hashed", withIntermediateDirectories: true)
    for (i, member) in members.enumerated() {
      try Data(member.bytes).write(
        to: URL(fileURLWithPath: "\(shop.root)/hashed/\(100_000 + i)"))
    }
    let outcome = try Workshop.run(
      URL(fileURLWithPath: "/bin/bash"), ["-c", "sha256sum hashed/*"], in: shop.root)
    return outcome.lines.map { String($0.prefix { $0 != " " }) }
  }

  @Test(
    .enabled(if: python != nil, "set WINNOW_PYTHON to an interpreter with webdataset"),
    arguments: [[], ["--plain"]])
  func webdatasetReadsWhatWasKept(flags: [String]) throws {
    let shop = try Workshop(pairs: 200)
    let arguments = ["clean", "in", "--pipeline", "tiny.yaml", "--out", "out"] + flags
    let outcome = try Workshop.run(Workshop.binary, arguments, in: shop.root)
    let records = try run("read_shards.py", outcome.lines, in: shop)
    let kept = try shop.samples("out/clean")
    #expect(outcome.status == 0 && records.count == kept.count && !kept.isEmpty)
    #expect(
      records.map { $0["key"] as? String } == kept.map { String(decoding: $0.key, as: UTF8.self) })
    var hashes = try sha256(kept.flatMap(\.members), in: shop)[...]
    for (record, sample) in zip(records, kept) {
      let members = try #require(record["members"] as? [String: [String: Any]])
      #expect(members.count == sample.members.count)
      for suffix in ["png", "txt", "json"] {
        #expect(members[suffix]?["sha256"] as? String == hashes.popFirst())
      }
    }
    #expect(hashes.isEmpty)
  }

  @Test(.enabled(if: python != nil, "set WINNOW_PYTHON to an interpreter with webdataset"))
  func webdatasetReadsTheRejectedShards() throws {
    let shop = try Workshop(pairs: 200)
    #expect(try shop.clean(out: "out").status == 0)
    let files = try shop.manifest().rejected.map { "out/rejected/\($0.file)" }
    let records = try run("read_shards.py", files, in: shop)
    #expect(records.count == (try shop.manifest().ledger.totalRejected))
    for record in records {
      let members = try #require(record["members"] as? [String: Any])
      #expect(Set(members.keys) == ["png", "txt", "json", "winnow.json"])
    }
  }

  /// It fails on a sample with a suffix of its own or two that it takes for one, and passes others by.
  @Test(.enabled(if: python != nil, "set WINNOW_PYTHON to an interpreter with webdataset"))
  func webdatasetReadsEveryPairWhateverItsMembersAreCalled() throws {
    let shop = try Workshop(pairs: 120, shards: 120)
    var members: [Member] = []
    for (i, suffixes) in [["__key__"], ["__bad__"], ["__url__", "x"], ["\u{C9}", "\u{E9}"], []]
      .enumerated()
    {
      let key = suffixes.isEmpty ? "x.y\nz/0" : "strange\(i)"
      members += TinyCorpus.sample(200 + i, key: key)
      members += suffixes.map { Member(name: Array("\(key).\($0)".utf8), bytes: [1]) }
    }
    try TinyCorpus.write(members, to: "\(shop.root)/in/strange.tar")
    #expect(try shop.clean(out: "out").status == 0)
    let manifest = try shop.manifest()
    #expect(manifest.ledger.read == 126)
    #expect(manifest.ledger.rejected["unsafe-name"] == 4)
    #expect(manifest.ledger.rejected["missing-image"] == 1)
    let files =
      manifest.clean.map { "out/clean/\($0.file)" }
      + manifest.rejected.map { "out/rejected/\($0.file)" }
    #expect(try run("read_shards.py", files, in: shop).count == 126)
  }

  @Test(.enabled(if: python != nil, "set WINNOW_PYTHON to an interpreter with numpy"))
  func numpyOpensTheDecisions() throws {
    let shop = try Workshop(pairs: 200)
    #expect(try shop.clean(out: "out").status == 0)
    let files = (0..<4).map { "out/decisions/00000\($0)-00000\($0).npz" }
    let records = try run("read_decisions.py", files, in: shop)
    #expect(records.count == 4)
    for (record, shard) in zip(records, try shop.shards()) {
      let columns = try #require(record["columns"] as? [String: [String: Any]])
      #expect(columns["key"]?["dtype"] as? String == "|S6")
      #expect(columns["scores"]?["dtype"] as? String == "<f4")
      #expect(columns["scores"]?["shape"] as? [Int] == [50, 2])
      #expect(columns["mismatch"]?["shape"] as? [Int] == [50])
      #expect(columns["kept"]?["dtype"] as? String == "|b1")
      #expect(record["kept"] as? Int == shard.ledger.kept)
    }
  }

  @Test(.enabled(if: python != nil, "set WINNOW_PYTHON to an interpreter with safetensors"))
  func safetensorsOpensTheWeights() throws {
    let shop = try Workshop(pairs: 200)
    #expect(try shop.clean(out: "out").status == 0)
    let folder = "out/ensemble"
    let files = try FileManager.default.contentsOfDirectory(atPath: "\(shop.root)/\(folder)")
      .filter { $0.hasSuffix(".safetensors") }.sorted()
    let records = try run("read_weights.py", files.map { "\(folder)/\($0)" }, in: shop)
    #expect(files.count == 5)
    #expect(records.count == files.count)
    for record in records { #expect((record["tensors"] as? [String: Any])?.isEmpty == false) }
  }

  @Test func zstdFindsOneFrameWithAChecksumInEveryShard() throws {
    let shop = try Workshop(pairs: 200)
    #expect(try shop.clean(out: "out").status == 0)
    for output in try shop.manifest().clean {
      let listing = try Workshop.run(
        URL(fileURLWithPath: "/usr/bin/env"), ["zstd", "-lv", "out/clean/\(output.file)"],
        in: shop.root)
      #expect(listing.status == 0)
      #expect(listing.output.contains("# Zstandard Frames: 1\n"))
      #expect(listing.output.contains("Check: XXH64"))
    }
  }
}
