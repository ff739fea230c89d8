/// What TurboJPEG doesn't tell about a JPEG file: its markers, found without decoding.
struct JPEGMarkers: Equatable {
  /// An Adobe APP14 segment: four-component data is stored inverted.
  private(set) var hasAdobe = false
  /// An end-of-image marker after the first scan begins. Entropy-coded data can't contain one;
  /// an EXIF thumbnail's, which stands earlier, doesn't count.
  private(set) var hasEnd = false

  init(_ bytes: UnsafeBufferPointer<UInt8>) {
    var at = 2
    while at + 4 <= bytes.count {
      let marker = bytes[at + 1]
      // Fill bytes and garbage between segments are passed over, as libjpeg does.
      guard bytes[at] == 0xFF, marker != 0xFF, marker != 0 else {
        at += 1
        continue
      }
      if marker == 0x01 || (0xD0...0xD8).contains(marker) {
        at += 2
        continue
      }
      if marker == 0xDA {
        hasEnd = Self.endStands(in: bytes, after: at)
        return
      }
      // The length counts its own two bytes; a file that says less must not turn the range round.
      let length = max(Int(bytes[at + 2]) << 8 | Int(bytes[at + 3]), 2)
      let payload = bytes[min(at + 4, bytes.count)..<min(at + 2 + length, bytes.count)]
      if marker == 0xEE, payload.count >= 12, payload.starts(with: "Adobe".utf8) { hasAdobe = true }
      at += 2 + length
    }
  }

  /// From the back, because that is where it is.
  private static func endStands(in bytes: UnsafeBufferPointer<UInt8>, after scan: Int) -> Bool {
    var at = bytes.count - 2
    while at > scan {
      if bytes[at] == 0xFF && bytes[at + 1] == 0xD9 { return true }
      at -= 1
    }
    return false
  }
}
