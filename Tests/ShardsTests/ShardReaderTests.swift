import Foundation
import Testing

@testable import Shards

@Suite struct ShardReaderTests {
  let scratch: Scratch
  init() throws { scratch = try Scratch() }

  /// Has Python's tarfile write `a.tar` in `scratch`; the script sees `t` and `add(name, bytes, **fields)`.
  func pythonTar(_ script: String, format: String = "GNU") throws -> String {
    let prelude = """
      import io, tarfile
      t = tarfile.open("a.tar", "w", format=tarfile.\(format)_FORMAT)
      def add(name, data=b"", **fields):
          i = tarfile.TarInfo(name)
          i.size = len(data)
          for k, v in fields.items(): setattr(i, k, v)
          t.addfile(i, io.BytesIO(data))

      """
    let made = try run("python3", ["-c", prelude + script + "\nt.close()"], in: scratch.path)
    #expect(made.status == 0, "\(made.output)")
    return scratch.file("a.tar")
  }

  @Test func whatIsWrittenComesBackByteForByte() throws {
    let members = ShardWriterTests.awkward
    for compression in [ShardCompression.none, .zstd(level: 3)] {
      let path = try writeShard(members, to: scratch.file("a"), compression: compression)
      let (events, fault, _, message) = readAll(path)
      let seen = events.flatMap { event -> [Member] in
        if case .sample(let sample) = event { sample.members } else { [] }
      }
      #expect(seen == members)
      #expect(fault == nil)
      #expect(message == nil)
    }
  }

  @Test func everyCompressionIsToldByContent() throws {
    let members = [member("0.jpg", "j"), member("0.txt", "t"), member("1.txt", "u")]
    let expected = [sample("0", Array(members[..<2])), sample("1", Array(members[2...]))]
    let path = try writeShard(members, to: scratch.file("a"))
    for packer in ["gzip", "bzip2", "xz", "zstd"] {
      let packed = try run("sh", ["-c", "\(packer) -c a > b"], in: scratch.path)
      #expect(packed.status == 0, "\(packed.output)")
      let (events, fault, report, _) = readAll(scratch.file("b"))
      #expect(events == expected)
      #expect(fault == nil)
      #expect(report.decompressedBytes == 10_240)
      #expect(report.storedBytes == Int64(try scratch.read("b").count))
    }
    #expect(readAll(path).events == expected)
  }

  @Test func severalFramesOfOneStreamAreReadOn() throws {
    try writeShard([member("0.jpg", "j"), member("1.jpg", "k")], to: scratch.file("a"))
    for packer in ["gzip", "zstd", "bzip2", "xz"] {
      let script =
        "head -c 700 a | \(packer) -c > b && tail -c +701 a | \(packer) -c >> b"
      #expect(try run("sh", ["-c", script], in: scratch.path).status == 0)
      let (events, fault, _, _) = readAll(scratch.file("b"))
      #expect(events.map(\.key) == ["0", "1"])
      #expect(fault == nil)
    }
  }

  /// Python's `lower` is Unicode's; two members of one suffix make webdataset fail.
  @Test(arguments: [
    ("\u{C9}", "\u{E9}"), ("\u{212A}", "k"), ("K", "\u{212A}"), ("JPG", "jpg"),
    // It makes another small sigma of the capital one at a word's end.
    ("x\u{3A3}", "x\u{3C2}"),
  ])
  func suffixesThatReadersFoldToOneBeginANewSample(first: String, second: String) throws {
    let members = ["0.\(first)", "0.txt", "0.\(second)"].map { member($0, "t") }
    let (events, _, report, _) = readAll(try writeShard(members, to: scratch.file("a.tar")))
    #expect(events == [sample("0", Array(members[..<2])), sample("0", [members[2]])])
    #expect(report.repeatedKeys == 1)
    // Others are told apart, text or not.
    var others = ["0.\u{E9}", "0.e\u{301}", "0.e"].map { member($0, "t") }
    others.append(Member(name: [0x30, 0x2E, 0xFF], bytes: []))
    let apart = try writeShard(others, to: scratch.file("b.tar"))
    #expect(readAll(apart).events == [sample("0", others)])
  }

  /// Python folds the letters in them too. Those that it would tell apart begin a new sample as well.
  @Test func ofSuffixesThatAreNoTextNoSampleHasTwo() throws {
    let suffixes: [[UInt8]] = [
      [0x78, 0xC3, 0x84, 0xFF], [0x78, 0xC3, 0xA4, 0xFF], [0xFF], [0xFE],
    ]
    let members = suffixes.map { Member(name: Array("k.".utf8) + $0, bytes: [1]) }
    let (events, fault, _, _) = readAll(try writeShard(members, to: scratch.file("a.tar")))
    #expect(
      events == [
        sample("k", [members[0]]), sample("k", Array(members[1...2])), sample("k", [members[3]]),
      ])
    #expect(fault == nil)
  }

  @Test func aRepeatedKeyOrSuffixBeginsANewSampleAndIsCounted() throws {
    let members = [
      member("0.jpg", "a"), member("0.txt", "b"),
      member("0.TXT", "c"), member("0.jpg", "d"),
      member("1.jpg", "e"), member("x/1.jpg", "f"),
      member("0.json", "g"),
    ]
    let (events, fault, report, _) = readAll(try writeShard(members, to: scratch.file("a.tar")))
    #expect(
      events == [
        sample("0", Array(members[0..<2])), sample("0", Array(members[2..<4])),
        sample("1", [members[4]]), sample("x/1", [members[5]]), sample("0", [members[6]]),
      ])
    #expect(report.repeatedKeys == 2)
    #expect(report.samples == 5)
    #expect(fault == nil)
  }

  @Test func whatIsNoSampleMemberIsSkippedAndCountedAndDoesNotPartASample() throws {
    let path = try pythonTar(
      """
      add("./", type=tarfile.DIRTYPE)
      add("__meta__/info.json", b"{}")
      add("0.jpg", b"j")
      add("._0.jpg", b"apple")
      add("noext", b"n" * 5000)
      add("dir.d", type=tarfile.DIRTYPE)
      add("0.png", type=tarfile.SYMTYPE, linkname="/etc/passwd")
      add("0.webp", type=tarfile.LNKTYPE, linkname="0.jpg")
      add("0.fifo", type=tarfile.FIFOTYPE)
      add("0.txt", b"t")
      """)
    let (events, fault, report, _) = readAll(path)
    #expect(events == [sample("0", [member("0.jpg", "j"), member("0.txt", "t")])])
    #expect(report.skippedMembers == 3)
    #expect(report.skippedLinks == 2)
    #expect(report.skippedOthers == 3)
    #expect(fault == nil)
  }

  @Test(arguments: ["GNU", "PAX"]) func longAndForeignNamesComeAsTheirBytes(format: String) throws {
    let path = try pythonTar(
      """
      add("d" * 300 + "/0.txt", b"long")
      add("caf\\u00e9/\\u6905.txt", b"utf-8")
      add("\\udcff\\udc80.txt", b"raw")
      """, format: format)
    let (events, fault, _, _) = readAll(path)
    let names = events.map { event -> [UInt8] in
      if case .sample(let sample) = event { sample.members[0].name } else { [] }
    }
    #expect(
      names == [
        Array((String(repeating: "d", count: 300) + "/0.txt").utf8),
        Array("caf\u{e9}/\u{6905}.txt".utf8), [0xff, 0x80] + Array(".txt".utf8),
      ])
    #expect(fault == nil)
  }

  @Test func concatenatedTarsAreReadToTheLast() throws {
    for name in ["0", "1", "2"] {
      try writeShard([member("\(name).txt", name)], to: scratch.file(name))
    }
    let path = try scratch.write(
      try scratch.read("0") + scratch.read("1") + scratch.read("2"), to: "a.tar")
    let (events, fault, _, _) = readAll(path)
    #expect(events.map(\.key) == ["0", "1", "2"])
    #expect(fault == nil)
  }

  @Test func aTarOfNothingButItsEndMarkerIsCleanAndEmpty() throws {
    for size in [512, 1024, 10_240] {
      let path = try scratch.write([UInt8](repeating: 0, count: size), to: "a.tar")
      let (events, fault, report, _) = readAll(path)
      #expect(events.isEmpty)
      #expect(fault == nil)
      #expect(report.samples == 0)
    }
  }

  @Test func anEndlessNameMakesItsWholeSampleUnusableAndIsCut() throws {
    var limits = ReadLimits()
    limits.maxNameBytes = 300
    let long = "1." + String(repeating: "n", count: 299)
    let path = try writeShard(
      [
        member("0.txt", "a"), member("1.jpg", "j"), member(long, "t"), member("1.txt", "t"),
        member(String(repeating: "k", count: 400) + ".txt", "t"), member("2.txt", "b"),
      ],
      to: scratch.file("a.tar"))
    let key = [UInt8](repeating: UInt8(ascii: "k"), count: 300)
    #expect(
      readAll(path, limits: limits).events == [
        sample("0", [member("0.txt", "a")]),
        .unusable(key: [0x31], name: Array(long.utf8.prefix(300)), cause: .longName(301)),
        .unusable(key: key, name: key, cause: .longName(404)),
        sample("2", [member("2.txt", "b")]),
      ])
  }

  @Test func aSampleOfTooManyMembersIsUnusableAndTheNextIsNot() throws {
    var limits = ReadLimits()
    limits.maxMembers = 8
    let path = try writeShard(
      (0..<20).map { member("0.\($0)", "") } + (0..<8).map { member("1.\($0)", "") },
      to: scratch.file("a.tar"))
    let events = readAll(path, limits: limits).events
    #expect(events.map(\.key) == ["0", "1"])
    #expect(
      events[0] == .unusable(key: [0x30], name: Array("0.8".utf8), cause: .manyMembers))
    #expect(events[1].isWhole)
  }

  @Test func emptyMembersCountAgainstTheSamplesBytes() throws {
    var limits = ReadLimits()
    limits.maxSampleBytes = 4 * (256 + 3)
    for (count, isWhole) in [(4, true), (5, false)] {
      let path = try writeShard(
        (0..<count).map { member("0.\($0)", "") }, to: scratch.file("a.tar"))
      #expect(readAll(path, limits: limits).events.map(\.isWhole) == [isWhole])
    }
  }

  @Test func aSparseMemberComesWithItsHoles() throws {
    try Data([1]).write(to: URL(fileURLWithPath: scratch.file("0.bin")))
    let script = "truncate -s 300000 0.bin && printf 'end' >> 0.bin && truncate -s 400000 0.bin"
    for format in ["gnu", "posix"] {
      let made = try run(
        "sh", ["-c", "rm -f 0.bin; \(script); tar -S --format=\(format) -cf a.tar 0.bin"],
        in: scratch.path)
      #expect(made.status == 0, "\(made.output)")
      #expect(try scratch.read("a.tar").count < 100_000)
      let whole = Member(name: Array("0.bin".utf8), bytes: try scratch.read("0.bin"))
      let (events, fault, _, _) = readAll(scratch.file("a.tar"))
      #expect(events == [sample("0", [whole])])
      #expect(fault == nil)
    }
  }

  @Test func manyMembersLargerThanTheBuffersComeBackWhole() throws {
    let members = (0..<12).map { index in
      Member(
        name: Array("\(index / 2).\(index % 2)".utf8),
        bytes: [UInt8](repeating: UInt8(index), count: index * 321_123))
    }
    for compression in [ShardCompression.none, .zstd(level: 1)] {
      let path = try writeShard(members, to: scratch.file("a"), compression: compression)
      let (events, fault, _, _) = readAll(path)
      #expect(
        events
          == (0..<6).map { sample("\($0)", Array(members[(2 * $0)..<(2 * $0 + 2)])) })
      #expect(fault == nil)
    }
  }
}
