/// Repairs UTF-8 that was read as a one-byte encoding, as ftfy 6.3.1's `fix_encoding` does.
enum Mojibake {
  /// - Parameter effort: characters that may be looked at, those of each step counted; from there on nothing is repaired.
  static func fixed(_ text: [Unicode.Scalar], effort: inout Int) -> [Unicode.Scalar] {
    var text = text
    while effort > 0 {
      effort -= text.count
      let next = step(text, effort: &effort)
      if next == text { return text }
      text = next
    }
    return text
  }

  private static func step(_ text: [Unicode.Scalar], effort: inout Int) -> [Unicode.Scalar] {
    if text.allSatisfy(\.isASCII) || !Badness.isBad(text) { return text }
    for encoding in SingleByteEncoding.all {
      guard var bytes = encoding.encode(text) else { continue }
      if encoding.restoresNoBreakSpace { bytes = NoBreakSpace.restored(in: bytes) }
      if encoding.isSloppy { bytes = LostBytes.replaced(in: bytes) }
      if let decoded = decode(bytes) { return decoded }
    }
    let fixed = embeddedFixed(text, effort: &effort)
    if fixed != text { return fixed }
    // Latin-1 that was meant to be Windows-1252: nobody wants C1 controls.
    return c1ControlsFixed(text)
  }

  /// C1 controls become what Windows-1252 has in their places, as Web browsers read them.
  static func c1ControlsFixed(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
    text.map { scalar in
      (0x80...0x9F).contains(scalar.value)
        ? SingleByteEncoding.windows1252Upper[Int(scalar.value) - 0x80] : scalar
    }
  }

  /// Repairs stretches that look like mojibake inside other text.
  private static func embeddedFixed(
    _ text: [Unicode.Scalar], effort: inout Int
  ) -> [Unicode.Scalar] {
    var result: [Unicode.Scalar] = []
    var position = 0
    while position < text.count {
      let follows = position > 0 && Clues.strictContinuation.contains(text[position - 1])
      let end = follows ? position : sequencesEnd(text, from: position)
      if end == position {
        result.append(text[position])
        position += 1
        continue
      }
      let stretch = Array(text[position..<end])
      result +=
        stretch.count < text.count && Badness.isBad(stretch)
        ? fixed(stretch, effort: &effort) : stretch
      position = end
    }
    return result
  }

  /// Where the two- to four-character sequences that begin here end.
  private static func sequencesEnd(_ text: [Unicode.Scalar], from start: Int) -> Int {
    var end = start
    while end < text.count {
      let length = Clues.leads.first { lead, length in
        lead.contains(text[end]) && end + length <= text.count
          && text[(end + 1)..<(end + length)].allSatisfy(Clues.continuation.contains)
      }
      guard let length else { return end }
      end += length.1
    }
    return end
  }

  private enum Clues {
    static let leads = [
      (Set(MojibakeTables.firstOfTwo.unicodeScalars), 2),
      (Set(MojibakeTables.firstOfThree.unicodeScalars), 3),
      (Set(MojibakeTables.firstOfFour.unicodeScalars), 4),
    ]
    static let continuation = Set(MojibakeTables.continuation.unicodeScalars)
    static let strictContinuation = Set(MojibakeTables.strictContinuation.unicodeScalars)
  }

  /// Strict UTF-8, but CESU-8's surrogate pairs and Java's NUL are read too.
  private static func decode(_ bytes: [UInt8]) -> [Unicode.Scalar]? {
    var standard: [UInt8] = []
    standard.reserveCapacity(bytes.count)
    var position = 0
    while position < bytes.count {
      if bytes[position...].starts(with: [0xC0, 0x80]) {
        standard.append(0)
        position += 2
      } else if let scalar = surrogatePair(bytes[position...].prefix(6)) {
        standard += Array(String(Character(scalar)).utf8)
        position += 6
      } else {
        standard.append(bytes[position])
        position += 1
      }
    }
    return String(validating: standard, as: UTF8.self).map { Array($0.unicodeScalars) }
  }

  /// The scalar whose two UTF-16 units are these six bytes, three each.
  private static func surrogatePair(_ bytes: ArraySlice<UInt8>) -> Unicode.Scalar? {
    guard bytes.first == 0xED, bytes.count == 6 else { return nil }
    let units = bytes.map { UInt32($0) }
    guard (0xA0...0xAF).contains(units[1]), (0x80...0xBF).contains(units[2]), units[3] == 0xED,
      (0xB0...0xBF).contains(units[4]), (0x80...0xBF).contains(units[5])
    else { return nil }
    let high = (units[1] & 0x0F) << 16 | (units[2] & 0x3F) << 10
    let low = (units[4] & 0x0F) << 6 | units[5] & 0x3F
    return Unicode.Scalar(0x10000 + high + low)
  }
}
