import Foundation
import Shards
import Testing

@testable import Pipeline

@Suite struct RestoreTests {
  @Test func rejectedPairsComeBackByteForByteInAShardOfTheirOwn() throws {
    let shop = try Workshop(pairs: 200)
    #expect(try shop.clean(out: "out", "--keep-fraction", "0.7").status == 0)
    let before = try shop.tree("out")
    let original = try shop.samples("in")
    let rejected = try shop.samples("out/rejected").map { String(decoding: $0.key, as: UTF8.self) }
    let keys = [rejected[5], rejected[0]]
    let outcome = try Workshop.run(
      Workshop.binary, ["restore", "-", "--out", "out"], in: shop.root,
      input: keys.joined(separator: "\n") + "\n")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let manifest = try shop.manifest()
    let file = try #require(manifest.clean.last).file
    #expect(outcome.lines == ["out/clean/\(file)"])
    let reader = ShardReader(path: "\(shop.root)/out/clean/\(file)")
    var back: [Sample] = []
    while case .sample(let sample)? = reader.next() { back.append(sample) }
    #expect(back == original.filter { keys.contains(String(decoding: $0.key, as: UTF8.self)) })
    #expect(back.count == 2)
    let after = try shop.tree("out")
    #expect(
      differences(before, after).sorted() == [
        "clean/\(file)", "clean/sizes.json", "manifest.json",
      ])
    let sizes = try JSONDecoder().decode(
      [String: Int].self, from: after["clean/sizes.json"] ?? Data())
    #expect(sizes[file] == 2)
    #expect(manifest.restored.map(\.key).sorted() == keys.sorted())

    // Again, and with a key that nobody has.
    let again = try shop.winnow("restore", keys[0], "nobody", "--out", "out")
    #expect(again.status == 1)
    #expect(again.errors.contains("1 had been restored before"))
    #expect(again.errors.contains("no rejected pair has the key nobody"))
    #expect(differences(after, try shop.tree("out")) == [])

    // The numbering goes on behind it.
    let members = (200..<230).flatMap { TinyCorpus.sample($0) }
    try TinyCorpus.write(members, to: "\(shop.root)/in/more.tar")
    let more = try shop.clean(out: "out", "--keep-fraction", "0.7")
    #expect(more.status == 0, "\(more.errors)")
    let grown = try shop.manifest()
    #expect(
      grown.clean.map(\.file) == grown.clean.indices.map { RunDirectory.padded($0) + ".tar.zst" })
    #expect(grown.restored == manifest.restored)
    #expect(try shop.tree("out")["clean/\(file)"] == after["clean/\(file)"])
  }

  @Test func aKilledRestoreIsFinishedByTheNextCommand() throws {
    let shop = try Workshop(pairs: 200)
    for out in ["out", "whole"] {
      #expect(try shop.clean(out: out, "--keep-fraction", "0.7").status == 0)
    }
    let key = String(decoding: try shop.samples("out/rejected")[3].key, as: UTF8.self)
    #expect(try shop.winnow("restore", key, "--out", "whole").status == 0)
    // As a kill leaves it: pinned, nothing written.
    let run = try RunContext(
      configuration: RunConfiguration(), directory: RunDirectory("\(shop.root)/out"))
    try run.directory.prepare()
    var result = RestoreResult()
    let order = try Restoring([key], try shop.manifest(), &result, in: run)
    try run.publishing.publish(json: order, to: run.directory.restoring)
    let outcome = try shop.clean(out: "out", "--keep-fraction", "0.7")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(differences(try shop.tree("whole"), try shop.tree("out")) == [])
  }

  @Test func aKeyThatIsNotTextIsRefusedAndWedgesNothing() throws {
    let shop = try Workshop(pairs: 150, shards: 150)
    var members = TinyCorpus.sample(7, key: "k")
    for i in members.indices { members[i].name = [0x63, 0xE9] + members[i].name.dropFirst() }
    try TinyCorpus.write(members, to: "\(shop.root)/in/b.tar")
    #expect(try shop.clean(out: "out", "--keep-fraction", "0").status == 0)
    let outcome = try shop.winnow("restore", "c\u{FFFD}", "--out", "out")
    #expect(outcome.status == 1 && outcome.errors.contains("isn't UTF-8"), "\(outcome.errors)")
    #expect(!FileManager.default.fileExists(atPath: "\(shop.root)/out/.winnow/restoring.json"))
    #expect(try shop.clean(out: "out", "--keep-fraction", "0").status == 0)
  }

  @Test func withoutAFinishedRunThereIsNothingToRestore() throws {
    let shop = try Workshop(pairs: 3)
    let outcome = try shop.winnow("restore", "k", "--out", "out")
    #expect(outcome.status == 1)
    #expect(outcome.errors.contains("finish the run first"))
  }
}
