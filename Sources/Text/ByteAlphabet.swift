/// GPT-2's printable stand-ins for the 256 bytes, in which byte-level vocabularies are written: printable Latin-1 stands for
/// itself, the other bytes for U+0100 and up in their order (`bytes_to_unicode` of the original).
enum ByteAlphabet {
  /// The stand-in of each byte.
  static let scalars: [Unicode.Scalar] = {
    var next: UInt32 = 0x100
    return (0..<256).map { (byte: UInt32) in
      if isPrintable(byte) { return Unicode.Scalar(UInt8(byte)) }
      defer { next += 1 }
      return Unicode.Scalar(next) ?? "\u{FFFD}"
    }
  }()

  /// The bytes in the order in which a vocabulary lists them: first those that stand for themselves.
  static let vocabularyOrder: [UInt8] =
    (0..<256).filter { isPrintable($0) }.map { UInt8($0) }
    + (0..<256).filter { !isPrintable($0) }.map { UInt8($0) }

  /// UTF-8 of the stand-in of each byte.
  static let utf8: [[UInt8]] = scalars.map { Array(String($0).utf8) }

  /// The token that stands for these bytes.
  static func token(_ bytes: some Sequence<UInt8>) -> [UInt8] { bytes.flatMap { utf8[Int($0)] } }

  /// The bytes that a token stands for, or nil if a scalar of it is no stand-in.
  static func bytes(ofToken token: some Sequence<UInt8>) -> [UInt8]? {
    var result: [UInt8] = []
    for scalar in String(decoding: Array(token), as: UTF8.self).unicodeScalars {
      guard let byte = byScalar[scalar] else { return nil }
      result.append(byte)
    }
    return result
  }

  private static let byScalar = Dictionary(
    uniqueKeysWithValues: scalars.enumerated().map { ($1, UInt8($0)) })

  private static func isPrintable(_ byte: UInt32) -> Bool {
    (0x21...0x7E).contains(byte) || (0xA1...0xAC).contains(byte) || (0xAE...0xFF).contains(byte)
  }
}
