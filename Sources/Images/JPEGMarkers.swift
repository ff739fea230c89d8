/// What TurboJPEG doesn't tell about a JPEG file: its markers, found without decoding.
struct JPEGMarkers: Equatable {
  /// An Adobe APP14 segment: four-component data is stored inverted.
  private(set) var hasAdobe = false
  /// An end-of-image marker after the first scan begins. Entropy-coded data can't contain one;
  /// an EXIF thumbnail's, which stands earlier, doesn't count.
  private(set) var hasEnd = false
  /// The decoder must hold every coefficient of the image at once: a progressive file, or one whose
  /// first scan lacks a component.
  private(set) var holdsCoefficients = false
  /// Coded arithmetically: libjpeg would go on for ever where the data has ended.
  private(set) var isArithmetic = false
  /// Scans, where the coefficients are held: each is a pass over all of them, for a few bytes.
  private(set) var scans = 0
  /// As the frame header declares them.
  private(set) var components: UInt8 = 0

  init(_ bytes: UnsafeBufferPointer<UInt8>) {
    Self.forEachSegment(of: bytes) { marker, segment in
      if marker == 0xDA {
        let at = segment.lowerBound
        if at + 4 < bytes.count, bytes[at + 4] < components { holdsCoefficients = true }
        hasEnd = Self.endStands(in: bytes, after: at)
        if holdsCoefficients { scans = Self.scans(in: bytes, from: at) }
        return
      }
      let payload = bytes[segment].dropFirst(4)
      if marker == 0xEE, payload.count >= 12, payload.starts(with: "Adobe".utf8) { hasAdobe = true }
      // A frame header: its precision, two sides, and the number of components.
      if (0xC0...0xCF).contains(marker), ![0xC4, 0xC8, 0xCC].contains(marker), payload.count > 5 {
        components = payload[payload.startIndex + 5]
        holdsCoefficients = marker & 3 == 2
        isArithmetic = marker > 0xC8
      }
    }
  }

  /// Calls `body` with the segments before the first scan, and with all from there on; what lies between them is garbage.
  /// (A list of them could take several times the file.)
  private static func forEachSegment(
    of bytes: UnsafeBufferPointer<UInt8>, _ body: (_ marker: UInt8, _ segment: Range<Int>) -> Void
  ) {
    var at = 2
    while at + 4 <= bytes.count {
      let marker = bytes[at + 1]
      // Fill bytes and garbage between segments are passed over, as libjpeg does.
      guard bytes[at] == 0xFF, marker != 0xFF, marker != 0 else {
        at += 1
        continue
      }
      if marker == 0x01 || (0xD0...0xD8).contains(marker) {
        body(marker, at..<at + 2)
        at += 2
        continue
      }
      if marker == 0xDA {
        body(marker, at..<bytes.count)
        return
      }
      // The length counts its own two bytes; a file that says less must not turn the range round.
      let length = max(Int(bytes[at + 2]) << 8 | Int(bytes[at + 3]), 2)
      body(marker, at..<min(at + 2 + length, bytes.count))
      at += 2 + length
    }
  }

  /// The file without that of which libjpeg only warns before the first scan: garbage between segments,
  /// and unknown numbers in JFIF's and Adobe's markers, which become those that it assumes in their place.
  func cleaned(_ bytes: UnsafeBufferPointer<UInt8>) -> [UInt8] {
    var result = Array(bytes.prefix(2))
    Self.forEachSegment(of: bytes) { _, segment in
      var copy = Array(bytes[segment])
      if copy.count >= 16, copy[1] == 0xE0, copy[4...].starts(with: "JFIF\0".utf8) { copy[9] = 1 }
      if copy.count >= 16, copy[1] == 0xEE, copy[4...].starts(with: "Adobe".utf8), copy[15] > 2 {
        copy[15] = components == 4 ? 2 : 1
      }
      result += copy
    }
    return result
  }

  /// Whether it says anywhere that its scans have restarts.
  static func mayRestart(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    bytes.indices.dropLast(5).contains { at in
      bytes[at] == 0xFF && bytes[at + 1] == 0xDD && bytes[at + 2] == 0 && bytes[at + 3] == 4
        && (bytes[at + 4] != 0 || bytes[at + 5] != 0)
    }
  }

  /// The file without so many bytes before its end marker and the fill bytes of that, if it has as many after the first scan
  /// begins.
  static func dropping(
    _ count: Int, beforeTheEndOf bytes: UnsafeBufferPointer<UInt8>
  ) -> [UInt8] {
    var scan = bytes.count
    forEachSegment(of: bytes) { marker, segment in if marker == 0xDA { scan = segment.lowerBound } }
    var end = scan
    while end + 1 < bytes.count, bytes[end] != 0xFF || bytes[end + 1] != 0xD9 { end += 1 }
    guard end + 1 < bytes.count else { return Array(bytes) }
    var last = end
    while last > scan, bytes[last - 1] == 0xFF { last -= 1 }
    guard count <= last - scan else { return Array(bytes) }
    return Array(bytes[..<(last - count)]) + bytes[end...]
  }

  /// From the first on, up to the end of the image.
  private static func scans(in bytes: UnsafeBufferPointer<UInt8>, from first: Int) -> Int {
    var (at, count) = (first, 0)
    while at + 4 <= bytes.count {
      let marker = bytes[at + 1]
      // Entropy-coded data, its restarts, and what libjpeg gives no length.
      guard bytes[at] == 0xFF, (0xC0...0xFE).contains(marker), !(0xD0...0xD7).contains(marker)
      else {
        at += 1
        continue
      }
      if marker == 0xD9 { break }
      if marker == 0xDA { count += 1 }
      at += 2 + max(Int(bytes[at + 2]) << 8 | Int(bytes[at + 3]), 2)
    }
    return count
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
