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
    let quiet = try shop.winnow(
      "restore", "nobody", "--out", "out", "--quiet", "--log", "r.jsonl", "--metrics", "r.prom")
    #expect(quiet.status == 1)
    #expect(quiet.errors == "no rejected pair has the key nobody\n")
    let log = try String(contentsOfFile: "\(shop.root)/r.jsonl", encoding: .utf8)
    #expect(log.split(separator: "\n").last?.contains("\"status\":1,") == true, "\(log)")
    let figures = try String(contentsOfFile: "\(shop.root)/r.prom", encoding: .utf8)
    #expect(figures.contains("winnow_last_run_exit_status{out=\"out\"} 1\n"))
    #expect(!figures.contains("winnow_last_success_timestamp_seconds"))
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

    // What is damaged is told, though nothing else is.
    try FileManager.default.removeItem(atPath: "\(shop.root)/out/clean/\(file)")
    let damaged = try shop.clean(out: "out", "--keep-fraction", "0.7", "--quiet")
    #expect(damaged.status == 3)
    #expect(damaged.errors.hasPrefix("out/clean/\(file) is gone\nto mend that, "))
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
    let order = try Restoring([Array(key.utf8)], try shop.manifest(), &result, in: run)
    try run.publishing.publish(json: order, to: run.directory.restoring)
    let outcome = try shop.clean(out: "out", "--keep-fraction", "0.7")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(differences(try shop.tree("whole"), try shop.tree("out")) == [])
  }

  @Test func aKeyThatIsNotTextIsGivenAsBytes() throws {
    let shop = try Workshop(pairs: 150, shards: 150)
    func sample(_ byte: UInt8) -> [Member] {
      var members = TinyCorpus.sample(Int(byte), key: "k")
      for i in members.indices { members[i].name = [0x63, byte] + members[i].name.dropFirst() }
      return members
    }
    let samples = [0xE9, 0xE8, 0xE7].map { sample($0) }
    try TinyCorpus.write(samples.flatMap { $0 }, to: "\(shop.root)/in/b.tar")
    #expect(try shop.clean(out: "out", "--keep-fraction", "0").status == 0)
    func restore(_ command: String) throws -> Workshop.Outcome {
      try Workshop.run(
        URL(fileURLWithPath: "/bin/bash"),
        ["-c", "b='\(Workshop.binary.path)'; \(command)"], in: shop.root)
    }
    let wrong = try restore("$b restore $'c\\xff' --out out")
    #expect(wrong.status == 1 && wrong.errors.contains("no rejected pair has"), "\(wrong.errors)")
    let argument = try restore("$b restore $'c\\xe9' --out out")
    #expect(argument.status == 0, "\(argument.errors)")
    let list = try restore("printf 'c\\347\\n' | $b restore - --out out")
    #expect(list.status == 0, "\(list.errors)")
    #expect(try shop.samples("out/clean").map(\.members) == [samples[0], samples[2]])
    #expect(try shop.clean(out: "out", "--keep-fraction", "0").status == 0)
  }

  @Test func aSampleThatIsNeverHeldIsStreamedBack() throws {
    let shop = try Workshop(
      pairs: 150, shards: 150,
      pipeline: TinyCorpus.pipeline() + "\nread: {maxMemberBytes: 2000, maxSampleBytes: 9000}\n")
    // Above what a held sample may have with its note, and with a member that looks like the note.
    let noise = (0..<2_000_000).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 7) }
    let big =
      TinyCorpus.sample(160, key: "big") + [
        Member(name: Array("big.winnow.json".utf8), bytes: noise),
        Member(name: Array("big.mp4".utf8), bytes: noise),
      ]
    try TinyCorpus.write(big + TinyCorpus.sample(161), to: "\(shop.root)/in/big.tar")
    #expect(try shop.clean(out: "out").status == 0)
    let outcome = try shop.winnow("restore", "big", "--out", "out")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let file = try #require(try shop.manifest().clean.last).file
    let reader = ShardReader(path: "\(shop.root)/out/clean/\(file)")
    #expect(reader.next() == .sample(Sample(key: Array("big".utf8), members: big)))
    #expect(reader.next() == nil && reader.fault == nil)
  }

  @Test func aManifestThatIsMadeAgainKnowsWhatWasRestored() throws {
    let shop = try Workshop(pairs: 200)
    func night() throws {
      let outcome = try shop.clean(out: "out", "--keep-fraction", "0.7")
      #expect(outcome.status == 0, "\(outcome.errors)")
    }
    func add(_ range: Range<Int>, _ name: String) throws {
      try TinyCorpus.write(
        range.flatMap { TinyCorpus.sample($0) }, to: "\(shop.root)/in/\(name).tar")
    }
    try night()
    let keys = try shop.samples("out/rejected").map { String(decoding: $0.key, as: UTF8.self) }
    #expect(try shop.winnow("restore", keys[2], "--out", "out").status == 0)
    try add(200..<230, "a")
    try night()
    #expect(try shop.winnow("restore", keys[4], keys[0], "--out", "out").status == 0)
    #expect(try shop.winnow("restore", keys[1], "--out", "out").status == 0)
    let before = try shop.tree("out")
    try FileManager.default.removeItem(atPath: "\(shop.root)/out/manifest.json")
    // As a killed command leaves the last one: pinned.
    let state = "\(shop.root)/out/.winnow"
    #expect(rename("\(state)/restored/000002.json", "\(state)/restoring.json") == 0)
    try night()
    #expect(differences(before, try shop.tree("out")) == [])
    // The numbering goes on behind it.
    try add(230..<260, "b")
    try night()
    #expect(try shop.winnow("restore", keys[1], "--out", "out").errors.contains("been restored"))
    let manifest = try shop.manifest()
    #expect(
      manifest.clean.map(\.file)
        == manifest.clean.indices.map { RunDirectory.padded($0) + ".tar.zst" })
    #expect(manifest.restored.count == 4)
    let rewritten = differences(before, try shop.tree("out")).filter { before[$0] != nil }
    #expect(!rewritten.contains { $0.contains(".tar") })
  }

  @Test func aListThatCannotBeReadIsNoTrap() throws {
    let shop = try Workshop()
    for redirection in ["< .", "<&-"] {
      let outcome = try Workshop.run(
        URL(fileURLWithPath: "/bin/bash"),
        ["-c", "exec '\(Workshop.binary.path)' restore - --out out \(redirection)"], in: shop.root)
      #expect(outcome.status == 2, "\(outcome.errors)")
      #expect(outcome.errors.contains("cannot read standard input"), "\(outcome.errors)")
    }
    #expect(!FileManager.default.fileExists(atPath: "\(shop.root)/out"))
  }

  @Test func aLimitAsHighAsNumbersGoIsNoTrap() throws {
    let shop = try Workshop(
      pairs: 120, shards: 120,
      pipeline: TinyCorpus.pipeline() + "\nread: {maxSampleBytes: \(Int.max)}\n")
    #expect(try shop.clean(out: "out", "--keep-fraction", "0.7").status == 0)
    let key = String(decoding: try shop.samples("out/rejected")[0].key, as: UTF8.self)
    let outcome = try shop.winnow("restore", key, "--out", "out")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(try shop.manifest().restored.map(\.key) == [key])
  }

  @Test func withoutAFinishedRunThereIsNothingToRestore() throws {
    let shop = try Workshop(pairs: 3)
    let outcome = try shop.winnow("restore", "k", "--out", "out")
    #expect(outcome.status == 1)
    #expect(outcome.errors.contains("finish the run first"))
  }

  @Test func aPairThatIsBackIsListedWithItsShardWhenThatIsGone() throws {
    let shop = try Workshop(pairs: 200)
    #expect(try shop.clean(out: "out", "--keep-fraction", "0.7").status == 0)
    func keys(_ path: String) -> Set<[UInt8]> {
      let reader = ShardReader(path: "\(shop.root)/\(path)")
      var keys: Set<[UInt8]> = []
      while case .sample(let sample)? = reader.next() { keys.insert(sample.key) }
      return keys
    }
    let gone = keys("in/000001.tar")
    let rejected = try shop.samples("out/rejected").map(\.key)
    let back = [rejected.first(where: gone.contains), rejected.first { !gone.contains($0) }]
      .compactMap { $0.map { String(decoding: $0, as: UTF8.self) } }
    try #require(back.count == 2)
    #expect(try shop.winnow("restore", back[0], back[1], "--out", "out").status == 0)
    try FileManager.default.removeItem(atPath: "\(shop.root)/in/000001.tar")
    let outcome = try shop.clean(out: "out", "--keep-fraction", "0.7")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let line = try #require(
      outcome.errors.split(separator: "\n").first { $0.contains("in/000001.tar is gone") })
    let files = try shop.manifest().clean.map(\.file)
    let holders = files.filter { !keys("out/clean/\($0)").isDisjoint(with: gone) }
    #expect(holders.count > 1 && holders.last == files.last)
    for file in files {
      #expect(line.contains("clean/\(file)") == holders.contains(file), "\(file): \(line)")
    }
  }
}
