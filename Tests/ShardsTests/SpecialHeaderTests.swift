import Testing

@testable import Shards

/// What PAX and GNU headers say of the member behind them, and of which libarchive says little or nothing.
@Suite struct SpecialHeaderTests {
  let scratch: Scratch
  init() throws { scratch = try Scratch() }

  private let noBytes = Array("00000000000\0".utf8)
  private let end = [UInt8](repeating: 0, count: 1024)

  private func padded(_ text: String) -> [UInt8] {
    Array(text.utf8) + [UInt8](repeating: 0, count: -text.utf8.count & 511)
  }

  /// libarchive gives all that is stored, whatever the size it was told.
  @Test(arguments: [(0, false), (1, false), (4, false), (5, true)])
  func aMemberWithMoreDataThanItsHeaderDeclaresIsNoWholeOne(size: Int, isWhole: Bool) throws {
    let head = paxHeader(["SCHILY.realsize=\(size)"])
    let first = tarHeader("0.txt", size: Array("00000000005\0".utf8)) + padded("words")
    let second = tarHeader("1.txt", size: noBytes)
    let (events, fault, _, _) = readAll(
      try scratch.write(head + first + second + end, to: "a.tar"))
    let expected: ShardEvent =
      isWhole
      ? sample("0", [member("0.txt", "words")])
      : .cutShort(Sample(key: [0x30], members: [member("0.txt", "")]))
    #expect(events.first == expected)
    #expect(events.count == (isWhole ? 2 : 1))
    #expect(fault == (isWhole ? nil : .badHeader))
  }

  /// libarchive says nothing of the first, and only warns of the second, without a word.
  @Test(arguments: ["256,256,0,256", "0,512,9x"])
  func aMapOfHolesThatMakesNoSenseIsABadHeader(map: String) throws {
    let head = paxHeader([
      "GNU.sparse.size=1024", "GNU.sparse.numblocks=2", "GNU.sparse.map=\(map)",
    ])
    let first =
      tarHeader("0.bin", size: Array("00000001000\0".utf8)) + [UInt8](repeating: 0x61, count: 512)
    let bytes = head + first + tarHeader("1.txt", size: noBytes) + end
    let (events, fault, _, _) = readAll(try scratch.write(bytes, to: "a.tar"))
    #expect(fault == .badHeader)
    #expect(!events.contains { $0.key == "1" || $0.isWhole })
  }

  /// libarchive follows 32 headers of a member, its own among them. At the next one it only warns, and that one is gone.
  @Test(arguments: [(31, true), (32, false), (33, false)])
  func ofTooManySpecialHeadersNoMemberIsSwallowed(count: Int, isRead: Bool) throws {
    let long =
      tarHeader("././@LongLink", size: Array("00000000006\0".utf8), type: "L") + padded("0.txt\0")
    var bytes = tarHeader("a.txt", size: noBytes)
    for _ in 0..<count { bytes += long }
    bytes += tarHeader("0.txt", size: noBytes) + tarHeader("1.txt", size: noBytes) + end
    let (events, fault, report, message) = readAll(try scratch.write(bytes, to: "a.tar"))
    #expect(events.map(\.key) == (isRead ? ["a", "0", "1"] : ["a"]))
    #expect(fault == (isRead ? nil : .badHeader))
    #expect(message?.contains("Too many special headers") == (isRead ? nil : true))
    #expect(report.skippedOthers == 0)
  }
}
