import Testing

@testable import Shards

@Suite struct CRC32Tests {
  @Test func theChecksumIsGzips() {
    // The check value of RFC 1952's polynomial, then lengths around the step against a bit at a time.
    for (text, value) in [("123456789", 0xcbf4_3926 as UInt32), ("", 0)] {
      var checksum = CRC32()
      Array(text.utf8).withUnsafeBytes { checksum.add($0) }
      #expect(checksum.value == value)
    }
    for length in 0..<40 {
      let bytes = (0..<length).map { _ in UInt8.random(in: 0...255) }
      var slow = UInt32.max
      for byte in bytes {
        slow ^= UInt32(byte)
        for _ in 0..<8 { slow = slow >> 1 ^ (slow & 1) * 0xedb8_8320 }
      }
      var checksum = CRC32()
      bytes[..<(length / 3)].withUnsafeBytes { checksum.add($0) }
      bytes[(length / 3)...].withUnsafeBytes { checksum.add($0) }
      #expect(checksum.value == ~slow)
    }
  }
}
