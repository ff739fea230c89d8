import Foundation
import Shards
import Testing

@testable import Pipeline

/// The same command over a corpus that grows, changes and shrinks.
@Suite struct RefreshTests {
  /// Adds pairs `range` as the shard `in/NAME.tar`.
  private func add(_ range: Range<Int>, _ name: String, _ shop: Workshop, key: String = "") throws {
    let members = range.flatMap { TinyCorpus.sample($0, key: "\(key)\($0)") }
    try TinyCorpus.write(members, to: "\(shop.root)/in/\(name).tar")
  }

  private func keys(_ folder: String, _ shop: Workshop) throws -> [String] {
    try shop.samples(folder).map { String(decoding: $0.key, as: UTF8.self) }
  }

  /// The keys of one shard, in order.
  private func keys(ofShard path: String, _ shop: Workshop) -> [String] {
    let reader = ShardReader(path: "\(shop.root)/\(path)")
    var keys: [String] = []
    while case .sample(let sample)? = reader.next() {
      keys.append(String(decoding: sample.key, as: UTF8.self))
    }
    return keys
  }

  @Test func newShardsAreJudgedAloneAndContinueTheNumbering() throws {
    let shop = try Workshop(pairs: 200)
    #expect(try shop.clean(out: "out").status == 0)
    let before = try shop.tree("out")
    let scores = try FileIdentity(of: "\(shop.root)/out/.winnow/scores/000003-000003.npz")
    let published = before.keys.filter { $0.hasSuffix(".tar.zst") }.sorted()
    func identities() throws -> [FileIdentity] {
      try published.map { try FileIdentity(of: "\(shop.root)/out/\($0)") }
    }
    let files = try identities()
    #expect(published.contains("clean/000000.tar.zst"))
    try add(200..<230, "000004", shop)
    let second = try shop.clean(out: "out")
    #expect(second.status == 0, "\(second.errors)")
    let after = try shop.tree("out")
    let manifest = try shop.manifest()
    #expect(manifest.ledger.read == 230)
    #expect(manifest.increments.map(\.pairs) == [200, 30])
    #expect(try shop.shards().count == 5)
    // What was published stays as it was, and the new shards come after it.
    let changed = differences(before, after)
    #expect(changed.contains("manifest.json") && changed.contains("clean/sizes.json"))
    #expect(before.keys.allSatisfy { !$0.contains(".tar") || before[$0] == after[$0] })
    // Not written again, with the same bytes, either.
    #expect(try identities() == files)
    #expect(before["noise-model.json"] == after["noise-model.json"])
    // The judges are the same ones, to the last file.
    #expect(before.keys.contains { $0.hasPrefix("ensemble/") && $0.hasSuffix(".safetensors") })
    #expect(!changed.contains { $0.hasPrefix("ensemble/") }, "\(changed)")
    #expect(
      manifest.clean.map(\.file)
        == manifest.clean.indices.map { RunDirectory.padded($0) + ".tar.zst" })
    #expect(try FileIdentity(of: "\(shop.root)/out/.winnow/scores/000003-000003.npz") == scores)
    #expect(second.lines.count == manifest.increments[1].clean)
    let sizes = try JSONDecoder().decode(
      [String: Int].self, from: after["clean/sizes.json"] ?? Data())
    #expect(sizes == Dictionary(uniqueKeysWithValues: manifest.clean.map { ($0.file, $0.pairs) }))
    let all = try keys("out/clean", shop).count + keys("out/rejected", shop).count
    #expect(all == 230 - manifest.ledger.totalUnreadable)
    #expect(try shop.clean(out: "out").errors.contains("Nothing new"))
  }

  /// The manifest is read and written by lines; a program that writes it by other ones spoils nothing.
  @Test func aManifestInAnotherLayoutIsGoneOnFromToo() throws {
    let shop = try Workshop(pairs: 200)
    let broken = Array("no tar".utf8)
    try Data(broken).write(to: URL(fileURLWithPath: "\(shop.root)/in/000009.tar"))
    for out in ["twin", "out"] { #expect(try shop.clean(out: out).status == 3) }
    let manifest = URL(fileURLWithPath: "\(shop.root)/out/manifest.json")
    let tree = try JSONSerialization.jsonObject(with: try Data(contentsOf: manifest))
    try JSONSerialization.data(withJSONObject: tree, options: [.prettyPrinted, .sortedKeys])
      .write(to: manifest)
    #expect(try shop.shards().map(\.ledger) == shop.shards("twin").map(\.ledger))
    let nothing = try shop.clean(out: "out")
    #expect(nothing.status == 0 && nothing.errors.contains("Nothing new"), "\(nothing.errors)")
    try add(200..<230, "000004", shop)
    for out in ["twin", "out"] { #expect(try shop.clean(out: out).status == 0) }
    #expect(differences(try shop.tree("twin"), try shop.tree("out")) == [])
    // By lines again, whose order is that of the increments.
    let lines = try ["twin", "out"].map { out in
      try String(contentsOfFile: "\(shop.root)/\(out)/manifest.json", encoding: .utf8)
        .split(separator: "\n").filter {
          $0.hasPrefix("    {\"") || $0.hasPrefix("    \"decisions/")
        }
    }
    #expect(lines[0] == lines[1] && lines[0].count == 12, "\(lines[0].count)")
    // A file that it tells of and that is gone is told of, from either layout.
    let gone = "decisions/000001-000001.npz"
    try FileManager.default.removeItem(atPath: "\(shop.root)/out/\(gone)")
    #expect(try shop.clean(out: "out").errors.contains("\(gone) is gone"))
  }

  @Test func aKilledIncrementIsFinishedBeforeWhatCameSince() throws {
    let shop = try Workshop(pairs: 200, pipeline: TinyCorpus.pipeline(shardSize: 1))
    #expect(try shop.clean(out: "whole").status == 0)
    #expect(try shop.clean(out: "cut").status == 0)
    let first = try shop.manifest("cut").clean.count
    try add(200..<280, "000004", shop)
    #expect(try shop.clean(out: "whole").status == 0)
    let process = try shop.start("clean", "in", "--pipeline", "tiny.yaml", "--out", "cut")
    #expect(shop.appears("cut/clean/\(RunDirectory.padded(first + 2)).tar.zst"))
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    #expect(try shop.manifest("cut").increments.count == 1)
    try add(280..<300, "000005", shop)
    #expect(try shop.clean(out: "whole").status == 0)
    let outcome = try shop.clean(out: "cut")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.errors.contains("finishing 1 shard that"))
    #expect(try shop.manifest("cut").increments.map(\.pairs) == [200, 80, 20])
    #expect(differences(try shop.tree("whole"), try shop.tree("cut")) == [])
  }

  @Test func aChangedShardIsJudgedAgainAndWhatWasPublishedOfItIsListed() throws {
    let shop = try Workshop(pairs: 200)
    #expect(try shop.clean(out: "out").status == 0)
    try add(300..<320, "000001", shop)
    let outcome = try shop.clean(out: "out")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(try shop.manifest().increments.map(\.pairs) == [200, 20])
    #expect(outcome.errors.contains("in/000001.tar changed since it was cleaned"))
    #expect(outcome.errors.contains("clean/000001.tar.zst"))
    // Until it is built anew, which the next run says too.
    #expect(try shop.clean(out: "out").errors.contains("changed since it was cleaned"))
    let rebuilt = try shop.clean(out: "out", "--rebuild")
    #expect(rebuilt.status == 0, "\(rebuilt.errors)")
    #expect(try shop.manifest().increments.map(\.pairs) == [170])
    #expect(try shop.manifest("out.previous").increments.count == 2)
    #expect(!FileManager.default.fileExists(atPath: "\(shop.root)/out.rebuild"))
    #expect(rebuilt.lines.allSatisfy { $0.hasPrefix("out/clean/") })
    #expect(!(try shop.clean(out: "out").errors.contains("changed since")))
    #expect(try shop.clean(out: "fresh").status == 0)
    #expect(differences(try shop.tree("fresh"), try shop.tree("out")) == [])
  }

  @Test func aDiskThatIsNotThereTonightMakesNoShardsAndACopyIsNotJudgedAgain() throws {
    let shop = try Workshop(pairs: 200)
    let list = (0..<4).map { "in/00000\($0).tar\n" }.joined()
    func night(_ list: String) throws -> Workshop.Outcome {
      try shop.winnow("clean", "-", "--pipeline", "tiny.yaml", "--out", "out", input: list)
    }
    #expect(try night(list).status == 0)
    #expect(rename("\(shop.root)/in", "\(shop.root)/unmounted") == 0)
    let without = try night(list)
    #expect(without.status == 0 && without.errors.contains("Nothing new"), "\(without.errors)")
    #expect(without.errors.contains("in/000001.tar is gone since it was cleaned"))
    #expect(rename("\(shop.root)/unmounted", "\(shop.root)/in") == 0)
    try FileManager.default.copyItem(
      atPath: "\(shop.root)/in/000001.tar", toPath: "\(shop.root)/in/copy.tar")
    let copied = try night(list + "in/copy.tar\n")
    #expect(copied.status == 0 && copied.errors.contains("Nothing new"), "\(copied.errors)")
    #expect(copied.errors.contains("isn't judged again"))
    #expect(try shop.manifest().increments.count == 1)
  }

  @Test func aShardThatArrivesWhileARunIsAtWorkIsLeftToTheNextOne() throws {
    let shop = try Workshop(pairs: 200, pipeline: TinyCorpus.pipeline(epochs: 20))
    let (shard, away) = ("\(shop.root)/in/000003.tar", "\(shop.root)/away.tar")
    #expect(rename(shard, away) == 0)
    let list = (0..<4).map { "in/00000\($0).tar\n" }.joined()
    try list.write(toFile: "\(shop.root)/list", atomically: true, encoding: .utf8)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/bash")
    process.arguments = [
      "-c",
      "exec '\(Workshop.binary.path)' clean - --pipeline tiny.yaml --out out < list 2> errors",
    ]
    process.currentDirectoryURL = URL(fileURLWithPath: shop.root)
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    // Pinned by now, and not scored yet.
    #expect(shop.appears("out/.winnow/training"))
    #expect(rename(away, shard) == 0)
    process.waitUntilExit()
    let errors = try String(contentsOfFile: "\(shop.root)/errors", encoding: .utf8)
    #expect(process.terminationStatus == 3, "\(errors)")
    #expect(errors.contains("not read to its end: /") && errors.contains("/in/000003.tar"))
    #expect(try shop.manifest().ledger.read == 150)
    let second = try shop.winnow(
      "clean", "-", "--pipeline", "tiny.yaml", "--out", "out", input: list)
    #expect(second.status == 0, "\(second.errors)")
    #expect(try shop.manifest().increments.map(\.pairs) == [150, 50])
    #expect(try shop.manifest().ledger.read == 200)
    let all = try keys("out/clean", shop) + keys("out/rejected", shop)
    #expect(all.count == 200 && Set(all).count == 200)
  }

  @Test func theStagesOneByOneGoOnTooAndALostManifestIsMadeAgain() throws {
    let shop = try Workshop(pairs: 200)
    #expect(try shop.clean(out: "whole").status == 0)
    func stages() throws {
      for command in [["train", "in"], ["score", "in"], ["fit"], ["filter", "in"]] {
        let outcome = try Workshop.run(
          Workshop.binary, command + ["--pipeline", "tiny.yaml", "--out", "out"], in: shop.root)
        #expect(outcome.status == 0, "\(command): \(outcome.errors)")
      }
    }
    try stages()
    try add(200..<230, "000004", shop)
    // The libraries have been upgraded since.
    let settings = "\(shop.root)/out/.winnow/settings.json"
    let text = try String(contentsOfFile: settings, encoding: .utf8)
    #expect(text.contains("environment.libwebp"))
    try text.replacingOccurrences(of: "environment.libwebp", with: "environment.libwurst")
      .write(toFile: settings, atomically: true, encoding: .utf8)
    try stages()
    try stages()
    #expect(try shop.clean(out: "whole").status == 0)
    #expect(differences(try shop.tree("whole"), try shop.tree("out")) == [])
    try FileManager.default.removeItem(atPath: "\(shop.root)/out/manifest.json")
    let again = try shop.clean(out: "out/")
    #expect(again.status == 0, "\(again.errors)")
    #expect(differences(try shop.tree("whole"), try shop.tree("out")) == [])
  }

  @Test func aMovedOrTouchedShardIsNotNewAndAGoneOneIsTold() throws {
    let shop = try Workshop(pairs: 200)
    #expect(try shop.clean(out: "out").status == 0)
    #expect(rename("\(shop.root)/in/000000.tar", "\(shop.root)/in/renamed.tar") == 0)
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSince1970: 1)],
      ofItemAtPath: "\(shop.root)/in/000001.tar")
    try FileManager.default.removeItem(atPath: "\(shop.root)/in/000002.tar")
    let outcome = try shop.clean(out: "out")
    #expect(outcome.status == 0)
    #expect(outcome.errors.contains("Nothing new"))
    #expect(outcome.errors.contains("in/000002.tar is gone since it was cleaned"))
    #expect(!outcome.errors.contains("000000.tar is gone"))
    // One alone in a list says nothing about the others.
    let one = try shop.clean("in/000003.tar", out: "out")
    #expect(one.errors.contains("not in the list: 2 shards, cleaned before"))
  }

  @Test func aShardOfTheSameSizeTimeAndInodeIsNotReadAgain() throws {
    let shop = try Workshop(pairs: 200)
    #expect(try shop.clean(out: "out").status == 0)
    let shard = "\(shop.root)/in/000001.tar"
    let identity = try FileIdentity(of: shard)
    func setTime(_ nanoseconds: Int64) {
      let (seconds, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
      let time = timespec(tv_sec: Int(seconds), tv_nsec: Int(rest))
      let status = utimensat(AT_FDCWD, shard, [time, time], 0)
      #expect(status == 0)
    }
    var bytes = try Data(contentsOf: URL(fileURLWithPath: shard))
    let number = try #require(bytes.range(of: Data("number 50".utf8)))
    bytes.replaceSubrange(number, with: Data("number 99".utf8))
    // In its place, so that it keeps its inode.
    let file = try #require(FileHandle(forWritingAtPath: shard))
    try file.write(contentsOf: bytes)
    try file.close()
    setTime(identity.modified)
    try #require(try FileIdentity(of: shard) == identity)
    let nothing = try shop.clean(out: "out")
    #expect(nothing.status == 0 && nothing.errors.contains("Nothing new"), "\(nothing.errors)")
    #expect(!nothing.errors.contains("changed since"), "\(nothing.errors)")
    // Whoever reads it sees that the bytes are others.
    setTime(identity.modified + 1_000_000_000)
    let touched = try shop.clean(out: "out")
    #expect(touched.status == 0, "\(touched.errors)")
    #expect(touched.errors.contains("in/000001.tar changed since it was cleaned"))
    #expect(try shop.manifest().increments.map(\.pairs) == [200, 50])
  }

  @Test func whatWasPublishedOfAVanishedShardIsListedExactly() throws {
    struct Line: Decodable {
      var event: String
      var path: String?
      var text: String?
      var published: [String: Int]?
    }
    let shop = try Workshop(pairs: 200)
    #expect(try shop.clean(out: "out", "--keep-fraction", "0.9").status == 0)
    try add(200..<230, "000004", shop, key: "new")
    #expect(try shop.clean(out: "out", "--keep-fraction", "0.9").status == 0)
    let clean = try shop.manifest().clean.map(\.file)
    // One of each night.
    var expected: [String: [String: Int]] = [:]
    for name in ["000001.tar", "000004.tar"] {
      let own = Set(keys(ofShard: "in/\(name)", shop))
      let counts = clean.map { file in
        (file, keys(ofShard: "out/clean/\(file)", shop).count { own.contains($0) })
      }
      expected[name] = Dictionary(uniqueKeysWithValues: counts.filter { $0.1 > 0 })
      try FileManager.default.removeItem(atPath: "\(shop.root)/in/\(name)")
    }
    // Its pairs lie in several, between those of its neighbours.
    #expect((expected["000001.tar"] ?? [:]).count > 1 && expected["000004.tar"]?.count == 1)
    let outcome = try shop.clean(out: "out", "--keep-fraction", "0.9", "--log", "w.jsonl")
    #expect(outcome.status == 0 && outcome.errors.contains("Nothing new"), "\(outcome.errors)")
    let log = try String(contentsOfFile: "\(shop.root)/w.jsonl", encoding: .utf8)
    let stale = try log.split(separator: "\n")
      .map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
      .filter { $0.event == "stale_shard" }
    #expect(stale.map(\.text) == ["gone", "gone"])
    let told = stale.map { line in
      (((line.path ?? "") as NSString).lastPathComponent, line.published ?? [:])
    }
    #expect(Dictionary(told) { first, _ in first } == expected)
    for (name, published) in expected {
      let files = published.keys.sorted().map { "clean/\($0)" }.joined(separator: ", ")
      let pairs = published.values.reduce(0, +)
      #expect(
        outcome.errors.contains(
          "/in/\(name) is gone since it was cleaned; \(pairs) pairs kept of it, in \(files)\n"),
        "\(outcome.errors)")
    }
  }

  @Test func aShardGoneBeforeAnythingOfItsIncrementWasPublishedIsLeftOut() throws {
    let shop = try Workshop(pairs: 200)
    #expect(try shop.clean(out: "out").status == 0)
    try add(200..<220, "000004", shop)
    try add(220..<240, "000005", shop)
    let scored = try shop.winnow("score", "in", "--pipeline", "tiny.yaml", "--out", "out")
    #expect(scored.status == 0, "\(scored.errors)")
    try FileManager.default.removeItem(atPath: "\(shop.root)/in/000004.tar")
    let outcome = try shop.clean(out: "out")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.errors.contains("000004.tar is gone before it was cleaned"))
    #expect(try shop.manifest().increments.map(\.pairs) == [200, 20])
    #expect(try shop.shards().map(\.path).last?.hasSuffix("000005.tar") == true)
  }
}
