import Foundation
import Testing

@testable import Shards

@Suite struct ShardWriterTests {
  let scratch: Scratch
  init() throws { scratch = try Scratch() }

  static let awkward: [Member] = [
    member("000.jpg", String(repeating: "pixels", count: 3000)),
    member("000.txt", "a red chair"),
    member("empty.txt", ""),
    member("caf\u{e9}/\u{6905}\u{5b50}.txt", "utf-8 name"),
    Member(name: [0x66, 0xff, 0xfe, 0x80] + Array(".txt".utf8), bytes: Array("not utf-8".utf8)),
    member(String(repeating: "n", count: 97) + ".txt", "101 bytes without a slash"),
    member(String(repeating: "folder/", count: 42) + "ab.txt", "300 bytes"),
    Member(
      name: [0xff] + [UInt8](repeating: 0x6c, count: 200) + Array(".txt".utf8), bytes: [0, 255]),
    member("./dotted/000.seg.png", "x"),
  ]

  static let listing = """
    import sys, tarfile
    for m in tarfile.open(sys.argv[1], "r:"):
        print(m.name.encode("utf-8", "surrogateescape").hex(), m.size, oct(m.mode), m.uid, m.gid,
              repr(m.uname), repr(m.gname), m.mtime, m.type == tarfile.REGTYPE)
    """

  func expectedListing(_ members: [Member]) -> String {
    members.map {
      $0.name.map { String(format: "%02x", $0) }.joined()
        + " \($0.bytes.count) 0o644 0 0 '' '' 0 True\n"
    }.joined()
  }

  @Test func pythonReadsEveryNameAsItWasWritten() throws {
    try writeShard(Self.awkward, to: scratch.file("a.tar"))
    let seen = try run("python3", ["-c", Self.listing, "a.tar"], in: scratch.path)
    #expect(seen.output == expectedListing(Self.awkward))
  }

  @Test func gnuTarExtractsTheSameBytes() throws {
    try writeShard(Self.awkward, to: scratch.file("a.tar"))
    let extracted = try run("tar", ["-xf", "a.tar"], in: scratch.path)
    #expect(extracted.status == 0, "\(extracted.output)")
    // Only names that are not ASCII need to say that they are raw bytes; GNU tar remarks on those.
    #expect(extracted.output.split(separator: "\n").count == 3, "\(extracted.output)")
    for member in Self.awkward {
      let path = Array((scratch.path + "/").utf8) + member.name + [0]
      let file = path.withUnsafeBytes {
        fopen($0.baseAddress!.assumingMemoryBound(to: CChar.self), "r")
      }
      let opened = try #require(file)
      defer { fclose(opened) }
      var bytes = [UInt8](repeating: 0, count: member.bytes.count + 1)
      #expect(fread(&bytes, 1, bytes.count, opened) == member.bytes.count)
      #expect(Array(bytes.dropLast()) == member.bytes)
    }
  }

  @Test func namesThatFitUstarGetNoPaxRecord() throws {
    let prefix = String(repeating: "d", count: 150)
    let fitting = [member(prefix + "/" + String(repeating: "f", count: 96) + ".txt", "x")]
    try writeShard(fitting, to: scratch.file("a.tar"))
    let tar = try scratch.read("a.tar")
    #expect(tar[156] == UInt8(ascii: "0"))
    #expect(Array(tar[257..<263]) == Array("ustar\0".utf8))
    #expect(tar.count == 10_240)
  }

  @Test func sameMembersGiveTheSameBytes() throws {
    for (name, compression) in [("z", ShardCompression.zstd(level: 3)), ("t", .none)] {
      try writeShard(Self.awkward, to: scratch.file(name + "1"), compression: compression)
      try writeShard(Self.awkward, to: scratch.file(name + "2"), compression: compression)
      #expect(try scratch.read(name + "1") == scratch.read(name + "2"))
    }
  }

  @Test func zstdHoldsThePlainTarInOneFrameWithAChecksum() throws {
    // Large enough for several blocks of the tar writer and of zstd.
    var state: UInt32 = 1
    let noise = (0..<3_000_000).map { _ -> UInt8 in
      state = state &* 1_664_525 &+ 1_013_904_223
      return UInt8(state >> 24)
    }
    let members = Self.awkward + [Member(name: Array("noise.png".utf8), bytes: noise)]
    try writeShard(members, to: scratch.file("a.tar"))
    let writer = try ShardWriter(path: scratch.file("a.tar.zst"))
    for member in members { try writer.append(member) }
    try writer.finish()

    let info = try run("zstd", ["-lv", "a.tar.zst"], in: scratch.path).output
    #expect(info.contains("# Zstandard Frames: 1\n"), "\(info)")
    #expect(info.contains("Check: XXH64"), "\(info)")
    #expect(try run("zstd", ["-dq", "a.tar.zst", "-o", "b.tar"], in: scratch.path).status == 0)
    #expect(try scratch.read("a.tar") == scratch.read("b.tar"))
  }

  @Test func aShardWithoutMembersIsAWholeTar() throws {
    try writeShard([], to: scratch.file("a.tar"))
    #expect(try scratch.read("a.tar") == [UInt8](repeating: 0, count: 10_240))
  }

  @Test func aFullDiskIsAnErrorThatNamesThePathAndTheReason() throws {
    for compression in [ShardCompression.zstd(level: 1), .none] {
      let writer = try ShardWriter(path: "/dev/full", compression: compression)
      let error = #expect(throws: ShardError.self) {
        try writer.append(Member(name: [0x61], bytes: [1, 2, 3]))
        try writer.finish()
      }
      #expect(
        error == .cannotWrite(path: "/dev/full", reason: "No space left on device"))
    }
  }

  @Test func aFolderThatIsMissingIsAnErrorThatNamesThePathAndTheReason() {
    let path = scratch.file("missing/a.tar")
    #expect(throws: ShardError.cannotCreate(path: path, reason: "No such file or directory")) {
      _ = try ShardWriter(path: path)
    }
  }

  @Test(arguments: [23, 1000, Int32.max, Int32.min] as [Int32])
  func aLevelThatZstdLacksIsRefusedNotRounded(level: Int32) {
    let path = scratch.file("a.tar.zst")
    let error = #expect(throws: ShardError.self) {
      try ShardWriter(path: path, compression: .zstd(level: level))
    }
    #expect(error?.description.contains("to 22, and no \(level)") == true)
    #expect(!FileManager.default.fileExists(atPath: path))
  }

  @Test func namesThatNoTarCanHoldAreRefusedAndTheShardGoesOn() throws {
    let writer = try ShardWriter(path: scratch.file("a.tar"), compression: .none)
    for name in [[], [0x61, 0, 0x62]] as [[UInt8]] {
      #expect(throws: ShardError.unusableName(path: scratch.file("a.tar"), name: name)) {
        try writer.append(Member(name: name, bytes: [1]))
      }
    }
    try writer.append(member("000.txt", "x"))
    try writer.finish()
    let seen = try run("python3", ["-c", Self.listing, "a.tar"], in: scratch.path)
    #expect(seen.output == expectedListing([member("000.txt", "x")]))
  }

  @Test func aFinishedShardTakesNothingMore() throws {
    let writer = try ShardWriter(path: scratch.file("a.tar"), compression: .none)
    try writer.finish()
    #expect(throws: ShardError.alreadyFinished(path: scratch.file("a.tar"))) {
      try writer.append(member("000.txt", "x"))
    }
    #expect(throws: ShardError.alreadyFinished(path: scratch.file("a.tar"))) { try writer.finish() }
  }

  @Test func anUnfinishedShardHasNoEndMarker() throws {
    do {
      let writer = try ShardWriter(path: scratch.file("a.tar.zst"))
      try writer.append(member("000.txt", "x"))
    }
    #expect(try run("zstd", ["-tq", "a.tar.zst"], in: scratch.path).status != 0)
  }

  @Test func aMemberInBlocksGivesTheSameBytesAsInOne() throws {
    try writeShard(Self.awkward, to: scratch.file("whole.tar"))
    let writer = try ShardWriter(path: scratch.file("blocks.tar"), compression: .none)
    for member in Self.awkward {
      try writer.begin(name: member.name, size: Int64(member.bytes.count))
      for start in stride(from: 0, to: member.bytes.count, by: 100) {
        let block = Array(member.bytes[start..<min(start + 100, member.bytes.count)])
        try block.withUnsafeBytes { try writer.write($0) }
      }
      try writer.end()
    }
    try writer.finish()
    #expect(try scratch.read("blocks.tar") == scratch.read("whole.tar"))
  }

  @Test func bytesThatArentAsManyAsAnnouncedAreRefused() throws {
    let path = scratch.file("a.tar")
    let name = Array("0.txt".utf8)
    let writer = try ShardWriter(path: path, compression: .none)
    let wrong = ShardError.wrongSize(path: path, name: name)
    try writer.begin(name: name, size: 3)
    #expect(throws: wrong) { try [1, 2, 3, 4].withUnsafeBytes { try writer.write($0) } }
    try [1, 2].map { UInt8($0) }.withUnsafeBytes { try writer.write($0) }
    #expect(throws: wrong) { try writer.end() }
    #expect(throws: wrong) { try writer.append(member("1.txt", "")) }
    #expect(throws: wrong) { try writer.finish() }
    try [UInt8(3)].withUnsafeBytes { try writer.write($0) }
    try writer.end()
    try writer.finish()
  }
}
