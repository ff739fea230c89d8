import Foundation
import Testing

@testable import Shards

/// Samples that are too large to be held are told, and copied as they are read.
@Suite struct OversizedSampleTests {
  let scratch: Scratch
  init() throws { scratch = try Scratch() }

  /// Keeps what it is given.
  final class Kept: MemberSink {
    var members: [Member] = []
    var ended = 0
    var largestBlock = 0

    func begin(name: [UInt8], size: Int64) {
      members.append(Member(name: name, bytes: []))
    }
    func write(_ bytes: UnsafeRawBufferPointer) {
      members[members.count - 1].bytes += bytes
      largestBlock = max(largestBlock, bytes.count)
    }
    func end() { ended += 1 }
  }

  /// Every event, with the members that were spilled on its way.
  private func spill(
    _ path: String, _ limits: ReadLimits
  ) -> (events: [ShardEvent], spilled: [Kept], fault: ShardFault?) {
    let reader = ShardReader(path: path, limits: limits)
    var (events, spilled): ([ShardEvent], [Kept]) = ([], [])
    while true {
      let sink = Kept()
      guard let event = reader.next(spillingTo: sink) else { break }
      events.append(event)
      spilled.append(sink)
    }
    return (events, spilled, reader.fault)
  }

  private var limits: ReadLimits {
    var limits = ReadLimits()
    limits.maxMemberBytes = 1000
    return limits
  }

  private let members = [
    member("0.txt", "a"),
    member("1.txt", "b"), member("1.jpg", String(repeating: "x", count: 1001)),
    member("1.json", "{}"), member("1.png", String(repeating: "y", count: 3_000_000)),
    member("2.jpg", String(repeating: "z", count: 2000)), member("2.txt", ""),
    member("3.jpg", String(repeating: "x", count: 1000)),
  ]

  @Test func aMemberMayHave64MiBByDefault() {
    #expect(ReadLimits().maxMemberBytes == 64 << 20)
  }

  @Test func aMemberAboveTheLimitMakesItsSampleOversizedAndNoOther() throws {
    let path = try writeShard(members, to: scratch.file("a.tar"))
    let (events, fault, report, _) = readAll(path, limits: limits)
    #expect(
      events == [
        sample("0", [members[0]]),
        .oversized(key: [0x31], name: Array("1.jpg".utf8), bytes: 1001),
        .oversized(key: [0x32], name: Array("2.jpg".utf8), bytes: 2000),
        sample("3", [members[7]]),
      ])
    #expect(fault == nil)
    #expect(report.samples == 2)
    #expect(report.oversized == 2)
  }

  @Test func theSinkIsGivenEveryMemberOfAnOversizedSampleAndOfNoOther() throws {
    for compression in [ShardCompression.none, .zstd(level: 1)] {
      let path = try writeShard(members, to: scratch.file("a"), compression: compression)
      let (events, spilled, fault) = spill(path, limits)
      #expect(events == readAll(path, limits: limits).events)
      #expect(
        spilled.map(\.members) == [[], Array(members[1...4]), Array(members[5...6]), []])
      #expect(spilled.map(\.ended) == [0, 4, 2, 0])
      // Never the whole member.
      #expect(spilled.allSatisfy { $0.largestBlock <= 1 << 20 })
      #expect(fault == nil)
    }
  }

  /// More bytes than a header may take, and none of them a zero.
  @Test func whatFollowsALargeMemberIsRead() throws {
    var state: UInt32 = 1
    let noise = (0..<(6 << 20)).map { _ -> UInt8 in
      state = state &* 1_664_525 &+ 1_013_904_223
      return UInt8(state >> 24) | 1
    }
    let large = [member("1.txt", "b"), Member(name: Array("1.png".utf8), bytes: noise)]
    for compression in [ShardCompression.none, .zstd(level: 1)] {
      let path = try writeShard(
        [members[0]] + large + [members[7]], to: scratch.file("a"), compression: compression)
      let (events, spilled, fault) = spill(path, limits)
      #expect(
        events == [
          sample("0", [members[0]]),
          .oversized(key: [0x31], name: Array("1.png".utf8), bytes: 6 << 20),
          sample("3", [members[7]]),
        ])
      let isWhole = spilled.map(\.members) == [[], large, []]
      #expect(isWhole)
      #expect(fault == nil)
    }
  }

  @Test func aSampleAboveTheLimitIsOversizedThoughItsMembersAreNot() throws {
    var limits = ReadLimits()
    limits.maxSampleBytes = 2000
    let long = String(repeating: "x", count: 800)
    let members = [
      member("0.jpg", long), member("0.png", long), member("0.txt", "t"), member("1.txt", "t"),
    ]
    let (events, spilled, _) = spill(try writeShard(members, to: scratch.file("a.tar")), limits)
    #expect(
      events == [
        .oversized(key: [0x30], name: Array("0.png".utf8), bytes: 2 * (800 + 5 + 256)),
        sample("1", [member("1.txt", "t")]),
      ])
    #expect(spilled.map(\.members) == [Array(members[..<3]), []])
  }

  @Test func anOversizedSampleOfTooManyMembersIsUnusable() throws {
    var limits = limits
    limits.maxMembers = 3
    let path = try writeShard(Array(members[1...4]), to: scratch.file("a.tar"))
    #expect(
      readAll(path, limits: limits).events == [
        .unusable(key: [0x31], name: Array("1.png".utf8), cause: .manyMembers)
      ])
  }

  @Test func holesAreCopiedAsZeros() throws {
    let script = "truncate -s 300000 0.bin; printf end >> 0.bin; truncate -s 400000 0.bin"
    for format in ["gnu", "posix"] {
      let made = try run(
        "sh", ["-c", "rm -f 0.bin; \(script); tar -S --format=\(format) -cf a.tar 0.bin"],
        in: scratch.path)
      #expect(made.status == 0, "\(made.output)")
      let whole = Member(name: Array("0.bin".utf8), bytes: try scratch.read("0.bin"))
      let (events, spilled, fault) = spill(scratch.file("a.tar"), limits)
      #expect(
        events == [.oversized(key: [0x30], name: Array("0.bin".utf8), bytes: 400_000)])
      #expect(spilled.map(\.members) == [[whole]])
      #expect(fault == nil)
    }
  }

  @Test func cutAnywhereAnOversizedSampleIsWholeOrCutShort() throws {
    let big = [member("1.txt", "b"), member("1.jpg", String(repeating: "x", count: 1500))]
    let whole = try scratch.read(
      URL(fileURLWithPath: try writeShard(big, to: scratch.file("whole.tar"))).lastPathComponent)
    // Headers and contents take 512 bytes, and the second content 1500 of 3 * 512.
    let endOfData = 3 * 512 + 1500
    for length in stride(from: 3 * 512, to: whole.count, by: 37) + [endOfData - 1, endOfData] {
      let path = try scratch.write(Array(whole[..<length]), to: "a.tar")
      let (events, spilled, _) = spill(path, limits)
      #expect(events == readAll(path, limits: limits).events)
      if length < endOfData {
        let cut = Member(name: Array("1.jpg".utf8), bytes: [])
        #expect(events == [.cutShort(Sample(key: [0x31], members: [cut]))], "\(length)")
        #expect(spilled[0].ended == 1)
      } else {
        #expect(
          events == [.oversized(key: [0x31], name: Array("1.jpg".utf8), bytes: 1500)], "\(length)")
        #expect(spilled[0].members == big)
      }
    }
  }

  @Test func aSizeThatIsNotThereIsCutShort() throws {
    let declared = tarHeader("1.jpg", size: Array("77777777777\0".utf8))
    let path = try scratch.write(declared + [UInt8](repeating: 1, count: 5000), to: "a.tar")
    let (events, _, _) = spill(path, limits)
    #expect(events.map(\.isWhole) == [false])
    if case .cutShort = events[0] {} else { Issue.record("\(events)") }
  }
}
