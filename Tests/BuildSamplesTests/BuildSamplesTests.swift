import Foundation
import Testing

@testable import build_samples

@Suite struct BuildSamplesTests {
  /// Seven stamps, whose image bytes name the stamp.
  private func stamps() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    for number in 0..<7 {
      try folder.write("image \(number)", to: "stamps/things/\(number).png")
      try folder.write("caption \(number)\n", to: "stamps/things/\(number).txt")
    }
    return folder
  }

  private func build(_ folder: TemporaryFolder, out: String, _ options: String...) throws -> URL {
    let out = folder.url.appendingPathComponent(out)
    let stamps = folder.url.appendingPathComponent("stamps").path
    try BuildSamples.parse(
      ["--stamps", stamps, "--out", out.path, "--shard-size", "3"] + options
    ).run()
    return out
  }

  /// Unpacks a shard with GNU tar.
  /// - Returns: the members in archive order.
  private func members(of shard: URL) throws -> [(name: String, text: String)] {
    let tar = { (options: [String]) in
      let process = Process()
      process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
      process.arguments = ["tar"] + options
      let pipe = Pipe()
      process.standardOutput = pipe
      try process.run()
      let output = pipe.fileHandleForReading.readDataToEndOfFile()
      process.waitUntilExit()
      #expect(process.terminationStatus == 0)
      return String(decoding: output, as: UTF8.self)
    }
    let names = try tar(["-tf", shard.path]).split(separator: "\n").map(String.init)
    return try names.map { ($0, try tar(["-xOf", shard.path, $0])) }
  }

  @Test func shardsHoldImageCaptionAndRecordUnderOneKey() throws {
    let folder = try stamps()
    let out = try build(folder, out: "corpus")
    let shards = try FileManager.default.contentsOfDirectory(atPath: out.path).sorted()
    #expect(shards == ["000000.tar", "000001.tar", "000002.tar"])

    let all = try shards.flatMap { try members(of: out.appendingPathComponent($0)) }
    let keys = (0..<7).map { "00000000\($0)" }
    #expect(all.map(\.name) == keys.flatMap { ["\($0).png", "\($0).txt", "\($0).json"] })
    let images = stride(from: 0, to: all.count, by: 3).map { all[$0].text }
    #expect(images.sorted() == (0..<7).map { "image \($0)" })
    #expect(images != images.sorted())
    for start in stride(from: 0, to: all.count, by: 3) {
      let number = try #require(all[start].text.last)
      #expect(all[start + 1].text == "caption \(number)")
      #expect(
        all[start + 2].text.hasPrefix(
          #"{"category":"stamps/things","path":"things/\#(number).png","source":"tuxpaint-stamps","#
        ))
      let uid = try #require(all[start + 2].text.split(separator: "\"").dropLast().last)
      #expect(uid.count == 32 && uid.allSatisfy(\.isHexDigit))
    }
  }

  @Test func swapChangesCaptionsOnlyAndTellsTheTruthBesideTheShards() throws {
    let folder = try stamps()
    let plain = try build(folder, out: "corpus")
    let swapped = try build(folder, out: "swapped", "--swap", "0.6", "--seed", "7")
    let truth = try String(
      contentsOf: swapped.appendingPathComponent("truth.tsv"), encoding: .utf8
    ).split(separator: "\n").map { $0.split(separator: "\t") }
    #expect(truth.first == ["key", "swapped", "kind"])
    #expect(truth.count == 8)

    var swaps = 0
    for shard in ["000000.tar", "000001.tar", "000002.tar"] {
      let before = try members(of: plain.appendingPathComponent(shard))
      let after = try members(of: swapped.appendingPathComponent(shard))
      #expect(before.map(\.name) == after.map(\.name))
      for (old, new) in zip(before, after) {
        let row = try #require(truth.first { old.name.hasPrefix("\($0[0]).") })
        let changes = old.name.hasSuffix(".txt") && row[1] == "1"
        #expect((old.text != new.text) == changes)
        #expect((row[1] == "1") == (row[2] != "none"))
        swaps += changes ? 1 : 0
      }
    }
    #expect(swaps == 4)
  }

  @Test func existingCorpusIsNotTouched() throws {
    let folder = try stamps()
    let out = try build(folder, out: "corpus", "--limit", "2")
    let before = try members(of: out.appendingPathComponent("000000.tar")).map(\.text)
    #expect(before.count == 6)
    #expect(throws: BuildError.self) { try build(folder, out: "corpus") }
    #expect(try members(of: out.appendingPathComponent("000000.tar")).map(\.text) == before)
  }

  @Test func folderWithoutPairsIsNamed() throws {
    let error = try #require(throws: BuildError.self) {
      try BuildSamples.parse(["--stamps", "/nowhere/at/all", "--out", "unused"]).run()
    }
    #expect(error.description.contains("/nowhere/at/all"))
  }

  @Test func failedBuildLeavesNothingBehind() throws {
    let folder = try stamps()
    try folder.write("a file, so no folder can be made below it", to: "file")
    let out = folder.url.appendingPathComponent("file/corpus")
    #expect(throws: (any Error).self) {
      try BuildSamples.parse(["--stamps", folder.url.path, "--out", out.path]).run()
    }
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder.url.path).sorted() == [
        "file", "stamps",
      ])
  }

  @Test func nonsenseOnTheCommandLineIsRefused() {
    #expect(throws: (any Error).self) { try BuildSamples.parse(["--out", "x"]) }
    #expect(throws: (any Error).self) {
      try BuildSamples.parse(["--stamps", "s", "--out", "x", "--swap", "1.5"])
    }
    #expect(throws: (any Error).self) {
      try BuildSamples.parse(["--stamps", "s", "--out", "x", "--limit", "0"])
    }
  }
}
