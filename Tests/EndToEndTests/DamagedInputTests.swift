import Foundation
import Shards
import Testing

@testable import Pipeline

/// A good corpus with one damaged thing in it: the damage has its reason in the ledger, the rest is cleaned.
@Suite struct DamagedInputTests {
  /// 120 good pairs in `in/a.tar`, and `in/bad.tar` made of `bytes`.
  private func clean(_ bytes: [UInt8], as name: String = "bad.tar") throws -> (
    Workshop, Workshop.Outcome
  ) {
    let shop = try Workshop(pairs: 120, shards: 120)
    try Data(bytes).write(to: URL(fileURLWithPath: "\(shop.root)/in/\(name)"))
    let outcome = try shop.clean(out: "out")
    let first = try shop.shards()[0].ledger
    #expect(first.read == 120)
    #expect(first.rejected.keys.allSatisfy { $0 == "mismatch" })
    let ledger = try shop.manifest().ledger
    #expect(ledger.read == ledger.kept + ledger.totalRejected + ledger.totalUnreadable)
    return (shop, outcome)
  }

  private func shard(
    _ members: [Member], _ compression: ShardCompression = .none
  ) throws -> [UInt8] {
    let path = NSTemporaryDirectory() + UUID().uuidString
    defer { try? FileManager.default.removeItem(atPath: path) }
    try TinyCorpus.write(members, to: path, compression: compression)
    return [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
  }

  private var tenPairs: [Member] { (500..<510).flatMap { TinyCorpus.sample($0) } }

  private func expectFault(_ fault: String, _ shop: Workshop, _ outcome: Workshop.Outcome) throws {
    #expect(outcome.status == 3, "\(outcome.errors)")
    #expect(try shop.shards()[1].fault == fault)
    #expect(outcome.errors.contains("not read to its end: /"))
    #expect(outcome.errors.contains("/in/bad.tar"))
    #expect(try shop.manifest().ledger.faults == [fault: 1])
  }

  @Test func anEmptyShard() throws {
    let (shop, outcome) = try clean([])
    try expectFault("empty-shard", shop, outcome)
    #expect(try shop.shards()[1].ledger.read == 0)
  }

  @Test func aTruncatedTar() throws {
    let whole = try shard(tenPairs)
    // Inside the image of the sixth sample.
    let (shop, outcome) = try clean(Array(whole.prefix(whole.count / 2)))
    try expectFault("truncated", shop, outcome)
    let ledger = try shop.shards()[1].ledger
    #expect((3...6).contains(ledger.read))
    #expect(ledger.totalUnreadable <= 1)
    #expect(ledger.unreadable.keys.allSatisfy { $0 == "cut-short" })
  }

  @Test func aTarCutInsideAMemberCountsItsSampleAsCutShort() throws {
    let whole = try shard(TinyCorpus.sample(500))
    let (shop, outcome) = try clean(Array(whole.prefix(700)))
    try expectFault("truncated", shop, outcome)
    #expect(try shop.shards()[1].ledger.unreadable == ["cut-short": 1])
  }

  @Test(arguments: ["bad.tar.gz", "bad.tar.zst"]) func aTruncatedCompressedTar(
    name: String
  ) throws {
    let members = (500..<560).flatMap { TinyCorpus.sample($0) }
    var whole = try shard(members, .zstd(level: 3))
    if name.hasSuffix("gz") {
      let folder = try Workshop()
      try Data(try shard(members)).write(to: URL(fileURLWithPath: "\(folder.root)/x.tar"))
      let gzip = URL(fileURLWithPath: "/usr/bin/env")
      #expect(try Workshop.run(gzip, ["gzip", "-n", "x.tar"], in: folder.root).status == 0)
      whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(folder.root)/x.tar.gz")))
    }
    let (shop, outcome) = try clean(Array(whole.prefix(whole.count * 2 / 3)), as: name)
    try expectFault("truncated", shop, outcome)
  }

  @Test func aBadHeader() throws {
    var bytes = try shard(tenPairs)
    let marker = Array("000505.png".utf8)
    let place = try #require(
      stride(from: 0, to: bytes.count, by: 512).first {
        bytes[$0..<min(bytes.count, $0 + marker.count)].elementsEqual(marker)
      })
    bytes[place + 20] ^= 0xFF
    let (shop, outcome) = try clean(bytes)
    try expectFault("bad-header", shop, outcome)
    #expect(try shop.shards()[1].ledger.read == 5)
  }

  @Test func somethingThatIsNoTar() throws {
    let (shop, outcome) = try clean(Array("this is a text, not a tar\n".utf8))
    try expectFault("not-a-tar", shop, outcome)
  }

  @Test func aPipeIsNoShardAndNobodyWaitsForIt() throws {
    let shop = try Workshop(pairs: 120, shards: 120)
    #expect(mkfifo("\(shop.root)/in/pipe.tar", 0o600) == 0)
    let outcome = try shop.winnow(
      "clean", "in/000000.tar", "in/pipe.tar", "--pipeline", "tiny.yaml", "--out", "out")
    #expect(outcome.status == 3, "\(outcome.errors)")
    #expect(try shop.shards()[1].fault == "cannot-open")
    #expect(outcome.errors.contains("no regular file"))
  }

  @Test func trainingNamesTheShardItCouldNotReadToItsEnd() throws {
    let shop = try Workshop(pairs: 120, shards: 120)
    try Data("no tar".utf8).write(to: URL(fileURLWithPath: "\(shop.root)/in/bad.tar"))
    let outcome = try shop.winnow("train", "in", "--pipeline", "tiny.yaml", "--out", "out")
    #expect(outcome.status == 3, "\(outcome.errors)")
    #expect(outcome.errors.contains("/in/bad.tar"))
  }

  @Test func aMissingShardOfAListIsAFaultAndIsReadOnceItIsThere() throws {
    let shop = try Workshop(pairs: 200)
    #expect(rename("\(shop.root)/in/000003.tar", "\(shop.root)/away.tar") == 0)
    let list = (0..<4).map { "in/00000\($0).tar\n" }.joined()
    func run(_ command: String) throws -> Workshop.Outcome {
      try shop.winnow(command, "-", "--pipeline", "tiny.yaml", "--out", "out", input: list)
    }
    #expect(try run("train").status == 3)
    #expect(try run("score").status == 3)
    #expect(rename("\(shop.root)/away.tar", "\(shop.root)/in/000003.tar") == 0)
    let healed = try run("clean")
    #expect(healed.status == 0, "\(healed.errors)")
    #expect(try shop.manifest().ledger.read == 200)
  }

  @Test func aMissingShardLeavesTheRestCleanAndIsNamedAgainByTheNextRun() throws {
    let shop = try Workshop(pairs: 200)
    #expect(rename("\(shop.root)/in/000003.tar", "\(shop.root)/away.tar") == 0)
    let list = (0..<4).map { "in/00000\($0).tar\n" }.joined()
    for (status, sentence) in [(3, "not read to its end"), (0, "Nothing new")] {
      let outcome = try shop.winnow(
        "clean", "-", "--pipeline", "tiny.yaml", "--out", "out", input: list)
      #expect(outcome.status == status, "\(outcome.errors)")
      #expect(outcome.errors.contains(sentence))
      #expect(outcome.errors.contains("/in/000003.tar"))
    }
    #expect(try shop.manifest().ledger.read == 150)
    #expect(try shop.shards()[3].fault == "cannot-open")
  }

  @Test func aNameAndACaptionThatAreTooLong() throws {
    let key = String(repeating: "n", count: 5000)
    let long = Array(String(repeating: "a red square ", count: 6000).utf8)
    let (shop, outcome) = try clean(
      try shard(TinyCorpus.sample(500, key: key) + sample(("png", png), ("txt", long))))
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(
      try shop.shards()[1].ledger.rejected == ["name-too-long": 1, "caption-too-long": 1])
    let table = try DecisionTable(path: "\(shop.root)/out/decisions/000001-bad.npz")
    #expect(table.keys[0].count == 256)
    #expect(table.keys[0].starts(with: Array(repeating: UInt8(ascii: "n"), count: 223) + [0x7E]))
    // Written as they came.
    let rejected = try shop.samples("out/rejected")
    #expect(rejected.contains { $0.key == Array(key.utf8) })
    #expect(rejected.contains { $0.members.contains { $0.bytes == long } })
  }

  @Test func aShardOfALongNameIsCleanedLikeAnyOther() throws {
    let (shop, outcome) = try clean(
      try shard(tenPairs), as: String(repeating: "n", count: 240) + ".tar")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(try shop.manifest().ledger.read == 130)
    // Its decisions are found again.
    let again = try shop.clean(out: "out")
    #expect(again.status == 0 && again.errors.contains("Nothing new"), "\(again.errors)")
  }

  /// A sample that is whole, but no pair, is rejected with its reason; the run is a success.
  private func expectRejected(_ reason: String, _ members: [Member]) throws {
    let (shop, outcome) = try clean(
      try shard(TinyCorpus.sample(500) + members + TinyCorpus.sample(501)))
    #expect(outcome.status == 0, "\(outcome.errors)")
    let ledger = try shop.shards()[1].ledger
    #expect(ledger.read == 3)
    #expect(ledger.rejected[reason] == 1)
    let rejected = try shop.samples("out/rejected")
    let sample = try #require(rejected.first { $0.members.contains { members.contains($0) } })
    let note = try #require(sample.members.last)
    #expect(String(decoding: note.bytes, as: UTF8.self).contains("\"reason\":\"\(reason)\""))
    #expect(Array(sample.members.dropLast()) == members)
  }

  private func sample(_ files: (String, [UInt8])...) -> [Member] {
    files.map { Member(name: Array("x.\($0.0)".utf8), bytes: $0.1) }
  }

  private var png: [UInt8] { TinyCorpus.sample(1)[0].bytes }
  private let text = Array("a red square".utf8)

  @Test func anImageThatIsNone() throws {
    try expectRejected(
      "image-unknown-format", sample(("jpg", Array("<html>".utf8)), ("txt", text)))
  }

  @Test func aTruncatedJPEG() throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../ImagesTests/Goldens").standardizedFileURL
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    let name = try #require(files.first { $0.hasSuffix(".jpg") })
    let jpeg = [UInt8](try Data(contentsOf: folder.appendingPathComponent(name)))
    try expectRejected(
      "image-truncated", sample(("jpg", Array(jpeg.prefix(jpeg.count * 2 / 3))), ("txt", text)))
  }

  @Test func aCaptionThatIsNotUTF8() throws {
    try expectRejected("text-not-utf8", sample(("png", png), ("txt", [0x63, 0xFF, 0xFE])))
  }

  @Test func aBlankCaption() throws {
    try expectRejected("empty-caption", sample(("png", png), ("txt", Array(" \n".utf8))))
  }

  @Test func aSampleWithoutImage() throws {
    try expectRejected("missing-image", sample(("txt", text)))
  }

  @Test func aSampleWithoutText() throws {
    try expectRejected("missing-text", sample(("png", png), ("json", Array("{}".utf8))))
  }

  @Test func aNameThatLeavesTheFolderIsReplaced() throws {
    let members = TinyCorpus.sample(500, key: "../../etc/evil")
    let (shop, outcome) = try clean(try shard(members))
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(try shop.shards()[1].ledger.rejected == ["unsafe-name": 1])
    let rejected = try shop.samples("out/rejected")
    #expect(rejected.allSatisfy { $0.members.allSatisfy { isSafe($0.name) } })
    let sample = try #require(rejected.last)
    #expect(sample.members.dropLast().map(\.bytes) == members.map(\.bytes))
    let note = String(decoding: try #require(sample.members.last).bytes, as: UTF8.self)
    #expect(note.contains("../../etc/evil.png"))
  }
}
