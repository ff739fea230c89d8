import Testing

@testable import Shards

/// Zeros behind what a shard holds: a record's padding, or what a download hasn't come to.
@Suite struct PaddedShardTests {
  let scratch: Scratch
  init() throws { scratch = try Scratch() }

  private func zeros(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }

  /// As a download leaves it that is written into a file made beforehand, and breaks off.
  @Test func moreZerosThanAnyRecordHasAreATruncation() throws {
    try writeShard([member("0.txt", "t"), member("1.txt", "u")], to: scratch.file("whole.tar"))
    // Two headers with a block each.
    let entries = Array(try scratch.read("whole.tar")[..<(4 * 512)])
    for (count, isWhole) in [(1 << 20, true), ((1 << 20) + 512, false), (3 << 20, false)] {
      for head in [entries, []] {
        let path = try scratch.write(head + zeros(count), to: "a.tar")
        let (events, fault, _, message) = readAll(path)
        #expect(events.map(\.key) == (head.isEmpty ? [] : ["0", "1"]))
        #expect(!events.contains { !$0.isWhole })
        #expect(fault == (isWhole ? nil : .truncated), "\(head.count) bytes, \(count) zeros")
        #expect(
          message?.contains("it ends in \(count) bytes of zeros") == (isWhole ? nil : true))
      }
    }
  }

  @Test func zerosBehindACompressedShardsOwnPaddingAreCountedToo() throws {
    try writeShard([member("0.txt", "t")], to: scratch.file("a"))
    let cases: [(count: Int, fault: ShardFault?)] = [(1 << 19, nil), (2 << 20, .truncated)]
    for (count, fault) in cases {
      let packed = try run(
        "sh", ["-c", "(cat a; head -c \(count) /dev/zero) | zstd -q -c > b"], in: scratch.path)
      #expect(packed.status == 0, "\(packed.output)")
      let read = readAll(scratch.file("b"))
      #expect(read.events == [sample("0", [member("0.txt", "t")])])
      #expect(read.fault == fault)
    }
  }

  /// A gzip of one stored block, which unpacks whatever its bytes are.
  private func storedGzip(_ bytes: [UInt8], checksum: UInt32) -> [UInt8] {
    let length = UInt16(bytes.count)
    var result: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF, 1]
    for half in [length, ~length] { result += [UInt8(half & 0xFF), UInt8(half >> 8)] }
    result += bytes
    for word in [checksum, UInt32(bytes.count)] {
      result += withUnsafeBytes(of: word.littleEndian) { [UInt8]($0) }
    }
    return result
  }

  @Test func zerosBehindAGzipDoNotHideItsChecksum() throws {
    let whole = [member("0.txt", "a caption")]
    try writeShard(whole, to: scratch.file("whole.tar"))
    var bytes = try scratch.read("whole.tar")
    var checksum = CRC32()
    bytes.withUnsafeBytes { checksum.add($0) }
    let gzip = storedGzip(bytes, checksum: checksum.value)
    bytes[512] ^= 1  // the caption's first letter
    let changed = storedGzip(bytes, checksum: checksum.value)
    for count in [0, 3, 512] {
      let (events, fault, _, _) = readAll(try scratch.write(gzip + zeros(count), to: "a.gz"))
      #expect(events == [sample("0", whole)])
      #expect(fault == nil, "\(count) zeros")
      let damaged = readAll(try scratch.write(changed + zeros(count), to: "b.gz"))
      #expect(damaged.fault == .corrupt, "\(count) zeros")
      #expect(damaged.message?.contains("gzip's checksum") == true)
    }
  }
}
