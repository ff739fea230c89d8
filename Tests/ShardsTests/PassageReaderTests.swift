import Foundation
import Testing

@testable import Shards

@Suite struct PassageReaderTests {
  private func read(
    _ path: String, limit: Int = 64 << 10
  ) -> (passages: [String], reader: PassageReader) {
    let reader = PassageReader(path: path, limit: limit)
    var passages: [String] = []
    while let passage = reader.next() { passages.append(passage) }
    return (passages, reader)
  }

  private func counts(
    passages: Int, cut: Int = 0, notUTF8: Int = 0, blank: Int = 0, unreadable: Int = 0
  ) -> PassageReport {
    var report = PassageReport()
    (report.passages, report.cut, report.notUTF8) = (passages, cut, notUTF8)
    (report.blank, report.unreadable) = (blank, unreadable)
    return report
  }

  private func compress(_ program: String, _ path: String) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [program, "-qk", path]
    try process.run()
    process.waitUntilExit()
    return path + (program == "gzip" ? ".gz" : ".zst")
  }

  @Test func aLineIsAPassageHoweverItEndsAndHoweverTheFileIsCompressed() throws {
    let folder = try Scratch()
    let path = folder.file("a.txt")
    try Data("one two\nzwei\r\n\n  \t\nдва 二\nlast".utf8).write(to: URL(fileURLWithPath: path))
    for file in [path, try compress("gzip", path), try compress("zstd", path)] {
      let (passages, reader) = read(file)
      #expect(passages == ["one two", "zwei", "два 二", "last"], "\(file)")
      #expect(reader.fault == nil && reader.message == nil)
      #expect(reader.report.passages == 4 && reader.report.blank == 2)
    }
  }

  @Test func longPassagesAreCutAtAScalarAndThoseThatAreNotUTF8LeftOut() throws {
    let folder = try Scratch()
    let path = folder.file("a.txt")
    let long = String(repeating: "x", count: 5) + "二二"
    try Data(Array("\(long)\nok\n".utf8) + [0xFF, 0xFE, 10] + Array("exactly8\n".utf8)).write(
      to: URL(fileURLWithPath: path))
    let (passages, reader) = read(path, limit: 9)
    #expect(passages == ["xxxxx二", "ok", "exactly8"])
    #expect(reader.report == counts(passages: 3, cut: 1, notUTF8: 1))
  }

  @Test func aLineLongerThanManyBlocksTakesNoMoreMemoryThanTheLimit() throws {
    let folder = try Scratch()
    let path = folder.file("a.txt")
    let line = Data(repeating: UInt8(ascii: "y"), count: 5 << 20)
    try (line + Data("\nnext".utf8)).write(to: URL(fileURLWithPath: path))
    let (passages, reader) = read(path, limit: 100)
    #expect(passages == [String(repeating: "y", count: 100), "next"])
    #expect(reader.report.cut == 1)
  }

  @Test func aTextOnlyShardGivesItsTextMembers() throws {
    let folder = try Scratch()
    let path = folder.file("a.tar.zst")
    let writer = try ShardWriter(path: path, compression: .zstd(level: 1))
    for (name, text) in [
      ("1.txt", "first"), ("2.json", "{}"), ("3.txt", " "), ("4.TXT", "two\nlines"),
    ] {
      try writer.append(Member(name: Array(name.utf8), bytes: Array(text.utf8)))
    }
    try writer.finish()
    let (passages, reader) = read(path)
    #expect(passages == ["first", "two\nlines"])
    #expect(reader.report == counts(passages: 2, blank: 1, unreadable: 1))
    #expect(reader.fault == nil)
  }

  @Test func aBrokenFileIsReadAsFarAsItGoesAndSaysSo() throws {
    let folder = try Scratch()
    let path = folder.file("a.txt")
    let lines = (0..<40_000).map { "line \($0 &* 2_654_435_761 % 99_991)" }
    try Data(lines.joined(separator: "\n").utf8).write(to: URL(fileURLWithPath: path))
    let packed = try compress("gzip", path)
    let data = try Data(contentsOf: URL(fileURLWithPath: packed))
    try data.prefix(data.count / 2).write(to: URL(fileURLWithPath: packed))
    let (passages, reader) = read(packed)
    #expect(passages.count > 1000 && passages == Array(lines.prefix(passages.count)))
    #expect(reader.fault == .truncated)
    #expect(reader.message?.contains("a.txt.gz") == true)
    #expect(read(folder.file("nowhere.txt")).reader.fault == .cannotOpen)
    try Data().write(to: URL(fileURLWithPath: path))
    #expect(read(path).reader.fault == nil, "an empty file is no fault")
  }
}
