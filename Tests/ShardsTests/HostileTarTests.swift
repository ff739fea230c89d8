import Foundation
import Testing

@testable import Shards

/// Tars that nobody makes by accident.
@Suite struct HostileTarTests {
  let scratch: Scratch
  init() throws { scratch = try Scratch() }

  private func tar(_ name: String) throws -> [UInt8] {
    try writeShard([member(name, "t")], to: scratch.file("one.tar"))
    return try scratch.read("one.tar")
  }

  private let noBytes = Array("00000000000\0".utf8)
  private let end = [UInt8](repeating: 0, count: 1024)

  @Test func sizesThatCannotBeAreRefusedAndNothingIsAllocatedForThem() throws {
    let good =
      tarHeader("0.txt", size: Array("00000000001\0".utf8)) + [UInt8](repeating: 0x74, count: 512)
    let negative = [0xff] + [UInt8](repeating: 0xff, count: 11)
    let huge = [0x80, 0, 0, 0, 0x7f] + [UInt8](repeating: 0xff, count: 7)
    let largest = [0xbf] + [UInt8](repeating: 0xff, count: 11)
    for size in [negative, huge, largest] {
      let path = try scratch.write(good + tarHeader("1.txt", size: size) + end, to: "a.tar")
      let (events, fault, _, _) = readAll(path)
      #expect(events.first == sample("0", [member("0.txt", "t")]))
      #expect(events.dropFirst().allSatisfy { !$0.isWhole })
      #expect(fault != nil)
    }
    // Below the limit, but not there.
    let declared = tarHeader("1.txt", size: Array("00377777777\0".utf8))
    let (events, fault, _, _) = readAll(try scratch.write(good + declared + end, to: "a.tar"))
    #expect(
      events.last
        == .cutShort(Sample(key: [0x31], members: [Member(name: Array("1.txt".utf8), bytes: end)])))
    #expect(fault == .truncated)
  }

  @Test(arguments: ["GNU.sparse.realsize=-9223372036854775808", "GNU.sparse.size=-1", "size=-1"])
  func aNegativeSizeInAPaxRecordIsABadHeader(_ size: String) throws {
    let path = try scratch.write(
      paxHeader(["GNU.sparse.major=1", "GNU.sparse.minor=0", size])
        + tarHeader("0.txt", size: Array("00000001000\0".utf8))
        + Array("1\n0\n4\n".utf8) + [UInt8](repeating: 0, count: 1018 + 1024), to: "a.tar")
    let (events, fault, _, _) = readAll(path)
    #expect(events.allSatisfy { !$0.isWhole })
    #expect(fault == .badHeader)
  }

  /// libarchive would keep forty bytes of each two numbers.
  @Test func aSparseMapThatWouldFillTheMemoryIsABadHeader() throws {
    let entries = 2_000_000
    let size = Array((String(format: "%011o", 4 * entries + 512) + "\0").utf8)
    var bytes = paxHeader(["GNU.sparse.major=1", "GNU.sparse.minor=0", "GNU.sparse.realsize=2000"])
    bytes += tarHeader("1.txt", size: size) + Array("\(entries)\n".utf8)
    for _ in 0..<entries { bytes += [0x30, 0x0A, 0x30, 0x0A] }
    let good = tarHeader("0.txt", size: Array("00000000000\0".utf8))
    let path = try scratch.write(good + bytes, to: "a.tar")
    bytes = []
    let (events, fault, _, message) = readAll(path)
    #expect(events.first == sample("0", [member("0.txt", "")]))
    #expect(events.dropFirst().allSatisfy { !$0.isWhole })
    #expect(fault == .badHeader)
    #expect(message?.contains("a tar header is too long") == true)
  }

  /// An access list costs libarchive the square of its entries, up to a second a header, and packs to a few hundred bytes.
  @Test func accessListsEndTheShardBeforeTheyTakeHours() throws {
    func header(_ entries: Int) -> [UInt8] {
      let list = (0..<entries).map { "user:u\($0 % 4000):rwx:\($0 % 4000)" }.joined(separator: ",")
      return paxHeader(["SCHILY.acl.access=\(list)"])
    }
    func tar(_ header: [UInt8], _ samples: Int) -> [UInt8] {
      (0..<samples).flatMap { header + tarHeader("\($0).txt", size: noBytes) } + end
    }
    let usual = readAll(try scratch.write(tar(header(30), 300), to: "usual.tar"))
    #expect(usual.fault == nil && usual.events.count == 300)
    // Entries that come again are looked for as well. Three are added for the owner, the group and all others.
    let long = header(8000)
    let count = 3_000_000_000 / (4003 * ((long.count + 512) / 6))
    let path = try scratch.write(tar(long, count + 2), to: "a.tar")
    let (events, fault, _, message) = readAll(path)
    #expect(events.map(\.key) == (0..<count).map { "\($0)" })
    #expect(fault == .badHeader)
    #expect(message?.contains("access lists without measure") == true)
  }

  /// A member of gigabytes of zeros, in kilobytes.
  @Test(arguments: ["zstd", "bzip2", "xz"])
  func aShardThatUnpacksBeyondAllMeasureIsCorrupt(packer: String) throws {
    let size = Array("02000000000\0".utf8)  // 256 MiB
    let header = tarHeader("1.bin", size: size)
    try scratch.write(try tar("0.txt").dropLast(1024) + header, to: "head")
    let packed = try run(
      "sh", ["-c", "(cat head; head -c 268436480 /dev/zero) | \(packer) -1 > a"], in: scratch.path)
    #expect(packed.status == 0, "\(packed.output)")
    var limits = ReadLimits()
    for (expansion, isRead) in [(300 << 20, true), (100 << 20, false)] {
      limits.maxExpansion = Int64(expansion)
      let reader = ShardReader(path: scratch.file("a"), limits: limits)
      #expect(reader.next() == sample("0", [member("0.txt", "t")]))
      let last = reader.next()
      #expect(reader.next() == nil)
      if isRead {
        #expect(last == .oversized(key: [0x31], name: Array("1.bin".utf8), bytes: 256 << 20))
        #expect(reader.fault == nil)
      } else {
        #expect(last == .cutShort(Sample(key: [0x31], members: [member("1.bin", "")])))
        #expect(reader.fault == .corrupt)
        #expect(reader.message?.contains("member '1.bin': it unpacks to more than") == true)
      }
    }
    // A shard that packs as well as any is read whatever it comes to.
    limits.maxExpansion = 0
    let plain = readAll(scratch.file("head"), limits: limits)
    #expect(plain.fault == .truncated)
  }

  /// Three samples, the second a sparse file of `size` bytes, of which four are stored at `offset`.
  private func sparseTar(size: Int64, offset: Int64) -> [UInt8] {
    let map = Array("1\n\(offset)\n4\n".utf8)
    var bytes = tarHeader("0.txt", size: noBytes)
    bytes += paxHeader(["GNU.sparse.major=1", "GNU.sparse.minor=0", "GNU.sparse.realsize=\(size)"])
    bytes += tarHeader("1.bin", size: Array("00000001004\0".utf8))
    for content in [map, Array("data".utf8)] {
      bytes += content + [UInt8](repeating: 0, count: 512 - content.count)
    }
    return bytes + tarHeader("2.txt", size: noBytes) + end
  }

  /// Zeros for years, from three kilobytes: behind what is stored, or before it.
  @Test(arguments: [0, (1 << 61) - 4] as [Int64])
  func holesBeyondAllMeasureAreABadHeader(offset: Int64) throws {
    let path = try scratch.write(sparseTar(size: 1 << 61, offset: offset), to: "a.tar")
    let (events, fault, report, message) = readAll(path)
    #expect(
      events == [
        sample("0", [member("0.txt", "")]),
        .cutShort(Sample(key: [0x31], members: [member("1.bin", "")])),
      ])
    #expect(fault == .badHeader)
    #expect(report.cutShort == 1)
    #expect(
      message?.contains("member '1.bin': sparse members declare more than 17179869184") == true)
  }

  @Test func holesOfGigabytesAreContentAndGoneThroughAtOnceWhereNobodyKeepsThem() throws {
    let path = try scratch.write(sparseTar(size: 8 << 30, offset: 4 << 30), to: "a.tar")
    let start = ContinuousClock.now
    let (events, fault, _, _) = readAll(path)
    let time = ContinuousClock.now - start
    #expect(
      events == [
        sample("0", [member("0.txt", "")]),
        .oversized(key: [0x31], name: Array("1.bin".utf8), bytes: 8 << 30),
        sample("2", [member("2.txt", "")]),
      ])
    #expect(fault == nil)
    #expect(time < .seconds(20))
  }

  /// Those of members that are held too: 64 MiB for each header of 512 bytes would be years of zeros.
  @Test func holesOfMembersThatAreHeldAreCountedWithTheOthers() throws {
    let one = sparseTar(size: 1 << 20, offset: 0)
    let path = try scratch.write(one + one + one, to: "a.tar")
    var limits = ReadLimits()
    limits.maxHoles = 3 << 20
    let whole = readAll(path, limits: limits)
    #expect(whole.fault == nil && whole.events.count == 9)
    limits.maxHoles = 5 << 19
    let (events, fault, _, message) = readAll(path, limits: limits)
    #expect(events.map(\.key) == ["0", "1", "2", "0", "1", "2", "0", "1"])
    #expect(events.last?.isWhole == false && events[4].isWhole)
    #expect(fault == .badHeader)
    #expect(message?.contains("sparse members declare more than") == true)
  }

  /// libarchive reads on for the end of the name in a gzip header, and keeps all of it.
  @Test func aGzipHeaderWithoutEndIsReadForSomeMegabytesAtMost() throws {
    let header: [UInt8] = [0x1F, 0x8B, 8, 8, 0, 0, 0, 0, 0, 0]
    let path = try scratch.write(
      header + [UInt8](repeating: 0x41, count: 20 << 20), to: "a.tar.gz")
    let reader = ShardReader(path: path)
    #expect(reader.next() == nil)
    #expect(reader.fault == .corrupt)
    #expect(reader.message?.contains("nothing comes of megabytes") == true)
    #expect(reader.report.storedBytes <= 17 << 20)
    let packed = try run("sh", ["-c", "zstd -q -c a.tar.gz > b"], in: scratch.path)
    #expect(packed.status == 0, "\(packed.output)")
    let twice = ShardReader(path: scratch.file("b"))
    #expect(twice.next() == nil)
    #expect(twice.fault == .notATar && twice.report.decompressedBytes == 0)
    #expect(twice.message?.contains("compressed more than once") == true)
  }

  /// As pzstd writes it: frames without content say how long the others are.
  @Test func aZstdThatBeginsWithASkippableFrameIsRead() throws {
    try scratch.write(try tar("0.txt"), to: "a")
    let packed = try run("sh", ["-c", "zstd -q -c a > b"], in: scratch.path)
    #expect(packed.status == 0, "\(packed.output)")
    let frame: [UInt8] = [0x50, 0x2A, 0x4D, 0x18, 4, 0, 0, 0, 1, 2, 3, 4]
    let (events, fault, _, _) = readAll(
      try scratch.write(frame + (try scratch.read("b")), to: "c"))
    #expect(events.map(\.key) == ["0"] && fault == nil)
  }

  @Test func theHolesOfAllMembersAreCountedTogether() throws {
    let one = sparseTar(size: 9 << 30, offset: 0)
    let (events, fault, _, _) = readAll(try scratch.write(one + one, to: "a.tar"))
    #expect(events.map(\.key) == ["0", "1", "2", "0", "1"])
    #expect(fault == .badHeader)
    // More than a number holds.
    let largest = sparseTar(size: .max, offset: 0)
    let more = readAll(try scratch.write(one + largest, to: "b.tar"))
    #expect(more.events.map(\.key) == ["0", "1", "2", "0", "1"] && more.fault == .badHeader)
  }

  @Test func zerosBetweenConcatenatedTarsAreNoHeader() throws {
    let one = try tar("0.txt")
    let zeros = [UInt8](repeating: 0, count: 9 << 20)
    let two = try tar("1.txt")
    let (events, fault, _, _) = readAll(try scratch.write(one + zeros + two, to: "a.tar"))
    #expect(events.map(\.key) == ["0", "1"])
    #expect(fault == nil)
  }

  @Test func aDamagedPaxRecordIsABadHeaderSinceItMayHoldTheName() throws {
    let record = Array("99 path=elsewhere.txt\n".utf8)
    let pax =
      tarHeader("pax", size: Array("00000000026\0".utf8), type: "x") + record
      + [UInt8](repeating: 0, count: 512 - record.count)
    let path = try scratch.write(pax + (try tar("0.txt")), to: "a.tar")
    #expect(readAll(path).fault == .badHeader)
  }

  @Test func aMemberOfTenGigabytesThatIsNotThereIsCutShortAndTheShardTruncated() throws {
    let size: [UInt8] = [0x80, 0, 0, 0, 0, 0, 0] + [2, 0x54, 0x0B, 0xE4, 0]
    let bytes =
      tarHeader("0.txt", size: noBytes) + tarHeader("1.jpg", size: size) + end
      + tarHeader(
        "2.txt", size: noBytes)
    let (events, fault, report, _) = readAll(try scratch.write(bytes, to: "a.tar"))
    #expect(
      events == [
        sample("0", [member("0.txt", "")]),
        .cutShort(Sample(key: [0x31], members: [member("1.jpg", "")])),
      ])
    #expect(fault == .truncated)
    #expect(report.samples == 1 && report.cutShort == 1)
  }

  @Test func aTarThatIsCompressedTwiceIsNone() throws {
    try scratch.write(try tar("0.txt"), to: "a")
    let packed = try run("sh", ["-c", "zstd -c a | gzip -c > b"], in: scratch.path)
    #expect(packed.status == 0, "\(packed.output)")
    let (events, fault, _, message) = readAll(scratch.file("b"))
    #expect(events.isEmpty)
    #expect(fault == .notATar)
    #expect(message?.contains("compressed more than once") == true)
  }

  /// 512 MB of tar in a few kilobytes.
  @Test func aMillionEmptyMembersAreAMillionSamples() throws {
    let count = 1_000_000
    let writer = try ShardWriter(path: scratch.file("a.tar.zst"), compression: .zstd(level: 1))
    for index in 0..<count {
      try writer.append(Member(name: Array("\(index).txt".utf8), bytes: []))
    }
    try writer.finish()
    let reader = ShardReader(path: scratch.file("a.tar.zst"))
    var seen = 0
    while case .sample? = reader.next() { seen += 1 }
    #expect(seen == count)
    #expect(reader.fault == nil)
    #expect(reader.report.samples == count && reader.report.repeatedKeys == 0)
  }

  @Test func samplesBeyondTheLimitAreNotRead() throws {
    let path = try writeShard((0..<5).map { member("\($0).txt", "t") }, to: scratch.file("a"))
    for (limit, read) in [(4, 4), (5, 5), (1, 1)] {
      var limits = ReadLimits()
      limits.maxSamples = limit
      let reader = ShardReader(path: path, limits: limits)
      var seen = 0
      while case .sample? = reader.next() { seen += 1 }
      #expect(seen == read && reader.report.samples == read)
      #expect(reader.fault == (limit < 5 ? .tooManySamples : nil))
      #expect(
        reader.message?.contains("more than \(limit) samples; the samples before that were read")
          == (limit < 5 ? true : nil))
    }
  }

  @Test func aMessageDoesNotRepeatALongName() throws {
    let path = try writeShard(
      [member(String(repeating: "n", count: 100_000) + ".txt", "t"), member("b.txt", "t")],
      to: scratch.file("a"))
    let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    let cut = try scratch.write(Array(bytes.prefix(bytes.count - 3000)), to: "cut.tar")
    let (_, fault, _, message) = readAll(cut)
    #expect(fault == .truncated)
    #expect(try #require(message).utf8.count < 2000)
  }

  @Test func theSameKeyAThousandTimesIsAThousandSamples() throws {
    let pair = [member("0.jpg", "j"), member("0.txt", "t")]
    let path = try writeShard(
      Array(repeatElement(pair, count: 1000).joined()), to: scratch.file("a"))
    let (events, fault, report, _) = readAll(path)
    #expect(events == Array(repeating: sample("0", pair), count: 1000))
    #expect(report.repeatedKeys == 999)
    #expect(fault == nil)
  }

  @Test func namesOfFourKilobytesAndForeignBytesComeBack() throws {
    let folder = [UInt8](repeating: 0xFF, count: 2000) + [0x2F]
    let names = [
      folder + [UInt8](repeating: UInt8(ascii: "n"), count: 2091) + Array(".txt".utf8),
      [0xC0, 0x80, 0xED, 0xA0, 0x80, 0xF8] + Array(".txt".utf8),
    ]
    #expect(names[0].count == 4096)
    let members = names.map { Member(name: $0, bytes: [0x74]) }
    let (events, fault, _, _) = readAll(try writeShard(members, to: scratch.file("a.tar")))
    #expect(
      events
        == members.map { .sample(Sample(key: Array($0.name.dropLast(4)), members: [$0])) })
    #expect(fault == nil)
  }
}
