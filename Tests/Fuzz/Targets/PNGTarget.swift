extension FuzzTarget {
  static let png = FuzzTarget(
    "png",
    seeds: {
      try smallImages(
        [
          "png-1x1", "png-5x3", "png-1x30", "png-bilevel", "png-palette-trns",
          "png-interlaced-palette-trns", "png-gray-trns",
        ], suffix: "png")
    }, repair: chunksRepaired, read: readImage)

  /// The PNG with true checksums, as far as its chunks can be followed.
  @Sendable private static func chunksRepaired(_ bytes: [UInt8]) -> [UInt8] {
    var result = bytes
    var at = 8
    while at + 12 <= bytes.count {
      let length = bytes[at..<at + 4].reduce(0) { $0 << 8 | Int($1) }
      guard length <= bytes.count - at - 12 else { break }
      var crc = UInt32.max
      for byte in bytes[at + 4..<at + 8 + length] {
        crc ^= UInt32(byte)
        for _ in 0..<8 { crc = crc & 1 == 1 ? (crc >> 1) ^ 0xEDB8_8320 : crc >> 1 }
      }
      for place in 0..<4 {
        result[at + 8 + length + place] = UInt8(truncatingIfNeeded: ~crc >> (24 - 8 * place))
      }
      at += 12 + length
    }
    return result
  }
}
