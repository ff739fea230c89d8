import Foundation
import Testing

@testable import Shards

@Suite struct ShardFaultTests {
  let scratch: Scratch
  init() throws { scratch = try Scratch() }

  static let members = [
    member("0.jpg", String(repeating: "j", count: 700)), member("0.txt", "caption"),
    member("1.jpg", String(repeating: "k", count: 512)), member("1.txt", "caption"),
  ]

  /// The tar of `members` in blocks: header, 700 bytes in 2, header, 1, header, 1, header, 1, marker.
  func tar(_ members: [Member] = members) throws -> [UInt8] {
    try writeShard(members, to: scratch.file("whole.tar"))
    return try scratch.read("whole.tar")
  }

  @Test func aFileWithoutBytesIsEmpty() throws {
    let (events, fault, _, message) = readAll(try scratch.write([], to: "a.tar"))
    #expect(events.isEmpty)
    #expect(fault == .emptyFile)
    #expect(message?.contains(scratch.file("a.tar")) == true)
  }

  @Test func compressedNothingIsEmpty() throws {
    try scratch.write([], to: "a")
    for packer in ["gzip", "zstd", "bzip2", "xz"] {
      #expect(try run("sh", ["-c", "\(packer) -c a > b"], in: scratch.path).status == 0)
      #expect(readAll(scratch.file("b")).fault == .emptyFile, "\(packer)")
    }
  }

  @Test func aMissingFileAndAFolderCannotBeOpened() {
    let (events, fault, _, message) = readAll(scratch.file("none.tar"))
    #expect(events.isEmpty)
    #expect(fault == .cannotOpen)
    #expect(
      message
        == scratch.file("none.tar")
        + ": No such file or directory; check the path and its permissions")
    #expect(readAll(scratch.path).fault == .cannotOpen)
  }

  @Test func whatTheSystemFailsToReadIsNotTakenForDamage() {
    // The first page of a process's memory can be opened and sought, not read.
    let (events, fault, _, message) = readAll("/proc/self/mem")
    #expect(events.isEmpty)
    #expect(fault == .cannotRead)
    #expect(message?.contains("Input/output error") == true)
  }

  @Test func whatIsNoTarIsSaidToBeNone() throws {
    for text in ["<html>404</html>", String(repeating: "<html>404</html>", count: 1000)] {
      let (events, fault, _, _) = readAll(try scratch.write(Array(text.utf8), to: "a.tar"))
      #expect(events.isEmpty)
      #expect(fault == .notATar)
    }
  }

  @Test func programsNamedByMagicNumbersAreNotRun() throws {
    // lrzip and compress would be unpacked by external programs if all filters were on.
    for magic in [Array("LRZI\u{0}\u{6}".utf8), [0x1f, 0x9d, 0x90], Array("LZIP\u{1}".utf8)] {
      let path = try scratch.write(magic + [UInt8](repeating: 7, count: 2000), to: "a.tar")
      #expect(readAll(path).fault == .notATar)
    }
  }

  @Test func withoutItsEndMarkerATarIsTruncatedButAllIsDelivered() throws {
    let path = try scratch.write(Array(try tar()[..<(9 * 512)]), to: "a.tar")
    let (events, fault, _, message) = readAll(path)
    #expect(
      events == [sample("0", Array(Self.members[..<2])), sample("1", Array(Self.members[2...]))])
    #expect(fault == .truncated)
    #expect(message?.contains("1.txt") == true)
  }

  @Test func zerosAtTheEndOfAMemberAreNoEndMarker() throws {
    let zeros = [Member(name: Array("0.bin".utf8), bytes: [UInt8](repeating: 0, count: 4096))]
    let path = try scratch.write(Array(try tar(zeros)[..<(9 * 512)]), to: "a.tar")
    let (events, fault, _, _) = readAll(path)
    #expect(events == [sample("0", zeros)])
    #expect(fault == .truncated)
  }

  @Test func aMemberThatBreaksOffIsCutShort() throws {
    let path = try scratch.write(Array(try tar()[..<(6 * 512 + 100)]), to: "a.tar")
    let (events, fault, report, _) = readAll(path)
    let part = Member(name: Array("1.jpg".utf8), bytes: Array(Self.members[2].bytes[..<100]))
    #expect(
      events == [
        sample("0", Array(Self.members[..<2])),
        .cutShort(Sample(key: [0x31], members: [part])),
      ])
    #expect(fault == .truncated)
    #expect(report.samples == 1)
    #expect(report.cutShort == 1)
  }

  /// Long names, whose own header and data come before the member's, included.
  @Test func cutAnywhereATarGivesAPrefixAndIsTruncatedUnlessComplete() throws {
    let script = """
      import io, tarfile
      for name, format in (("gnu", tarfile.GNU_FORMAT), ("pax", tarfile.PAX_FORMAT)):
          t = tarfile.open(name, "w", format=format)
          for key in ("0", "x" * 600):
              for suffix, size in (("jpg", 700), ("txt", 0)):
                  i = tarfile.TarInfo(key + "." + suffix)
                  i.size = size
                  t.addfile(i, io.BytesIO(b"j" * size))
          end = t.offset
          t.close()
          open(name + ".end", "w").write(str(end))
      """
    #expect(try run("python3", ["-c", script], in: scratch.path).status == 0)
    for format in ["gnu", "pax"] {
      let whole = try scratch.read(format)
      let end = try #require(
        Int(String(decoding: try scratch.read(format + ".end"), as: UTF8.self)))
      let expected = readAll(scratch.file(format)).events
      #expect(expected.count == 2)
      let path = try scratch.write(Array(whole[..<(end + 1024)]), to: "cut")
      for length in (1...(end + 1024)).reversed() {
        #expect(truncate(path, length) == 0)
        let (events, fault, _, message) = readAll(path)
        let isComplete = length == end + 512 || length == end + 1024
        #expect((fault == nil) == isComplete, "\(format) cut at \(length)")
        #expect(
          fault == nil || fault == .truncated || length < 512 && fault == .notATar,
          "\(format) cut at \(length): \(message ?? "no message")")
        let prefix = isPrefix(events, of: expected)
        #expect(prefix, "\(format) cut at \(length)")
      }
    }
  }

  /// Whether every event is that of the whole shard, or has some of its members, the last in part.
  func isPrefix(_ events: [ShardEvent], of whole: [ShardEvent]) -> Bool {
    guard events.count <= whole.count else { return false }
    for (index, (event, expected)) in zip(events, whole).enumerated() where event != expected {
      guard index == events.count - 1, case .sample(let sample) = expected else { return false }
      switch event {
      case .sample(let part):
        guard part.key == sample.key, sample.members.starts(with: part.members) else {
          return false
        }
      case .cutShort(let part):
        guard part.key == sample.key, let last = part.members.last,
          sample.members.starts(with: part.members.dropLast()),
          sample.members[part.members.count - 1].bytes.starts(with: last.bytes),
          last.bytes.count < sample.members[part.members.count - 1].bytes.count
        else { return false }
      case .oversized, .unusable: return false
      }
    }
    return true
  }

  @Test(arguments: ["gzip -n", "zstd", "bzip2", "xz"])
  func cutAnywhereACompressedTarIsTruncated(packer: String) throws {
    _ = try tar()
    let packed = try run("sh", ["-c", "\(packer) -c whole.tar > packed"], in: scratch.path)
    #expect(packed.status == 0, "\(packed.output)")
    let whole = try scratch.read("packed")
    let expected = readAll(scratch.file("packed"))
    #expect(expected.fault == nil)
    let path = try scratch.write(whole, to: "cut")
    for length in (1..<whole.count).reversed() {
      #expect(truncate(path, length) == 0)
      let (events, fault, _, _) = readAll(path)
      // Before its magic number is whole, compressed data is nothing in particular.
      #expect(
        fault == .truncated || length < 18 && fault == .notATar,
        "cut at \(length) of \(whole.count): \(String(describing: fault))")
      let prefix = isPrefix(events, of: expected.events)
      #expect(prefix, "cut at \(length)")
    }
  }

  /// libarchive takes it for the end, and what lies behind it would be lost without a word.
  @Test(arguments: ["gzip -n", "zstd", "bzip2", "xz"])
  func aDamagedPartBehindAWholeOneIsCorrupt(packer: String) throws {
    try scratch.write(Array(try tar().prefix(1024)), to: "one")
    try scratch.write(Array(try tar().dropFirst(1024)), to: "two")
    let packed = try run(
      "sh", ["-c", "for i in one two; do \(packer) -c $i > $i.packed; done"], in: scratch.path)
    #expect(packed.status == 0, "\(packed.output)")
    let (one, two) = (try scratch.read("one.packed"), try scratch.read("two.packed"))
    #expect(readAll(try scratch.write(one + two, to: "a")).fault == nil)
    for place in 0..<4 {
      var damaged = two
      damaged[place] ^= 0x40
      let (_, fault, _, message) = readAll(try scratch.write(one + damaged, to: "b"))
      #expect(fault == .corrupt || fault == .truncated, "\(place): \(message ?? "none")")
    }
    let zeros = [UInt8](repeating: 0, count: 512)
    let padded = readAll(try scratch.write(one + two + zeros, to: "c"))
    #expect(padded.fault == nil || packer == "zstd")
  }

  @Test(arguments: ["gzip", "zstd", "bzip2", "xz"])
  func whatHoldsNothingIsEmptyAndNonsenseIsNot(packer: String) throws {
    let packed = try run("sh", ["-c", "\(packer) -c < /dev/null > packed"], in: scratch.path)
    #expect(packed.status == 0, "\(packed.output)")
    #expect(readAll(scratch.file("packed")).fault == .emptyFile)
    let bytes = try scratch.read("packed")
    let nonsense = bytes.prefix(packer == "gzip" ? 2 : 3) + Array("rubbish, if ever there was".utf8)
    let (_, fault, _, message) = readAll(try scratch.write(Array(nonsense), to: "nonsense"))
    #expect(fault == .corrupt || fault == .notATar, "\(message ?? "")")
  }

  @Test func damagedCompressedDataIsCorrupt() throws {
    var state: UInt32 = 7
    let noise = (0..<400_000).map { _ -> UInt8 in
      state = state &* 1_664_525 &+ 1_013_904_223
      return UInt8(state >> 24) & 0x3f
    }
    try writeShard(
      [member("0.txt", "t"), Member(name: Array("1.bin".utf8), bytes: noise)],
      to: scratch.file("a.zst"), compression: .zstd(level: 3))
    var bytes = try scratch.read("a.zst")
    for index in 150_000..<150_064 { bytes[index] ^= 0x55 }
    let (events, fault, _, message) = readAll(try scratch.write(bytes, to: "a.zst"))
    #expect(fault == .corrupt)
    #expect(events.first == sample("0", [member("0.txt", "t")]))
    #expect(message?.hasPrefix(scratch.file("a.zst")) == true)
  }

  @Test func anXZIsReadWhateverItsPartsButNotWithAWindowOfGigabytes() throws {
    let whole = try tar()
    let packed = try run(
      "sh", ["-c", "(head -c 700 whole.tar | xz -9; tail -c +701 whole.tar | xz -1) > packed"],
      in: scratch.path)
    #expect(packed.status == 0, "\(packed.output)")
    let (events, fault, _, _) = readAll(scratch.file("packed"))
    #expect(fault == nil)
    #expect(events == readAll(try scratch.write(whole, to: "plain.tar")).events)
    // The first block's header: its size in words less one, flags, the filter LZMA2, one byte of properties, the window.
    var bytes = try scratch.read("packed")
    let end = 12 + 4 * Int(bytes[12])
    #expect(Array(bytes[14..<16]) == [0x21, 1])
    bytes[16] = 40
    var checksum = CRC32()
    bytes[12..<end].withUnsafeBytes { checksum.add($0) }
    withUnsafeBytes(of: checksum.value.littleEndian) {
      bytes.replaceSubrange(end..<end + 4, with: $0)
    }
    let large = readAll(try scratch.write(bytes, to: "large"))
    #expect(large.events.isEmpty && large.fault == .corrupt)
    #expect(large.message?.contains("its xz takes more than 160 MiB to unpack") == true)
  }

  @Test func damageThatOnlyGzipsChecksumShowsIsCorrupt() throws {
    // Noise is stored as it is, so that a flipped bit still decodes.
    let noise = (0..<300_000).map { _ in UInt8.random(in: 0...255) }
    try writeShard([Member(name: Array("0.bin".utf8), bytes: noise)], to: scratch.file("a"))
    #expect(try run("gzip", ["a"], in: scratch.path).status == 0)
    #expect(readAll(scratch.file("a.gz")).fault == nil)
    try scratch.poke(try scratch.read("a.gz")[150_000] ^ 1, at: 150_000, in: "a.gz")
    #expect(readAll(scratch.file("a.gz")).fault == .corrupt)
  }

  @Test func aWrongChecksumOfTheFrameIsCorrupt() throws {
    try writeShard(Self.members, to: scratch.file("a"), compression: .zstd(level: 3))
    var bytes = try scratch.read("a")
    bytes[bytes.count - 1] ^= 1
    #expect(readAll(try scratch.write(bytes, to: "a")).fault == .corrupt)
  }

  @Test func aDamagedHeaderEndsTheShardAndWhatIsBeforeItIsDelivered() throws {
    var bytes = try tar()
    bytes[5 * 512] ^= 0x20
    let (events, fault, _, message) = readAll(try scratch.write(bytes, to: "a.tar"))
    #expect(events == [sample("0", Array(Self.members[..<2]))])
    #expect(fault == .badHeader)
    #expect(message?.contains("0.txt") == true)
  }

  @Test func whatFollowsTheEndMarkerIsLookedAt() throws {
    let junk = [UInt8](repeating: 0x41, count: 512)
    let (events, fault, _, _) = readAll(try scratch.write(try tar() + junk, to: "a.tar"))
    #expect(events.count == 2)
    #expect(fault == .badHeader)
  }

  @Test func noDamageOfOneByteCrashesTheReader() throws {
    let whole = Array(try tar()[..<(11 * 512)])
    let path = try scratch.write(whole, to: "a.tar")
    for index in whole.indices {
      for flip in [0xff, 0x01] as [UInt8] {
        try scratch.poke(whole[index] ^ flip, at: index, in: "a.tar")
        let (events, fault, report, message) = readAll(path)
        #expect(report.samples + report.cutShort + report.oversized == events.count)
        #expect((fault == nil) == (message == nil))
        #expect(fault != nil || events.count == 2)
      }
      try scratch.poke(whole[index], at: index, in: "a.tar")
    }
  }
}
