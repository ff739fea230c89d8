/// A byte of a pattern: one of these ranges.
private typealias ByteSet = [ClosedRange<UInt8>]

extension ArraySlice<UInt8> {
  fileprivate func begins(with pattern: [ByteSet]) -> Bool {
    count >= pattern.count
      && zip(self, pattern).allSatisfy { byte, set in set.contains { $0 ~= byte } }
  }
}

private func replaced(
  in bytes: [UInt8], patterns: [[ByteSet]], by replacement: (ArraySlice<UInt8>) -> [UInt8]
) -> [UInt8] {
  var result: [UInt8] = []
  result.reserveCapacity(bytes.count)
  var position = 0
  while position < bytes.count {
    if bytes[position] != 0x1A, bytes[position] < 0xC0 {
      result.append(bytes[position])
      position += 1
    } else if let pattern = patterns.first(where: { bytes[position...].begins(with: $0) }) {
      result += replacement(bytes[position..<(position + pattern.count)])
      position += pattern.count
    } else {
      result.append(bytes[position])
      position += 1
    }
  }
  return result
}

/// UTF-8 in which a program took byte A0, the no-break space, for a space (ftfy's `restore_byte_a0`).
enum NoBreakSpace {
  static func restored(in bytes: [UInt8]) -> [UInt8] {
    let isAltered = bytes.indices.contains { index in
      patterns.contains { bytes[index...].begins(with: $0) }
    }
    guard isAltered else { return bytes }
    return replaced(in: graveWordsRestored(bytes), patterns: patterns) { sequence in
      sequence.map { $0 == 0x20 ? 0xA0 : $0 }
    }
  }

  /// “Ã la mode” is “à la mode”, so the space stays; but Portuguese has words that begin with à.
  private static func graveWordsRestored(_ bytes: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    var position = 0
    while position < bytes.count {
      let rest = bytes[position...].dropFirst(2)
      if bytes[position...].starts(with: [0xC3, 0x20]),
        !["\u{20}", "quele", "quela", "quilo", "s "].contains(where: { rest.starts(with: $0.utf8) })
      {
        result += [0xC3, 0xA0, 0x20]
        position += 2
      } else {
        result.append(bytes[position])
        position += 1
      }
    }
    return result
  }

  private static let space: ByteSet = [0x20...0x20]
  private static let any: ByteSet = [0x80...0xBF]
  private static let likely: ByteSet = [0x80...0x84, 0x86...0x9F, 0xA1...0xBF]
  private static let four: ByteSet = [0xF0...0xF0]
  private static let two: ByteSet = [
    0xC2...0xC3, 0xC5...0xC5, 0xCE...0xCE, 0xD0...0xD0, 0xD9...0xD9,
  ]
  private static let patterns: [[ByteSet]] = [
    [two, space], [[0xE2...0xE3], space, likely], [[0xE0...0xE3], likely, space],
    [four, space, any, any], [four, any, space, any], [four, any, any, space],
  ]
}

/// UTF-8 some bytes of which were lost: 1A for the replacement character, or a question mark (ftfy's
/// `replace_lossy_sequences`).
enum LostBytes {
  static func replaced(in bytes: [UInt8]) -> [UInt8] {
    Text.replaced(in: bytes, patterns: patterns) { _ in [0xEF, 0xBF, 0xBD] }
  }

  private static let lost: ByteSet = [0x1A...0x1A]
  private static let mark: ByteSet = [0x3F...0x3F]
  private static let either = lost + mark
  private static let any: ByteSet = lost + [0x80...0xBF]
  private static let all: ByteSet = either + [0x80...0xBF]
  private static let surrogate: ByteSet = [0xED...0xED]
  private static let high: ByteSet = [0xA0...0xAF]
  private static let low: ByteSet = [0xB0...0xBF]
  private static let three: ByteSet = [0xE0...0xEF]
  private static let four: ByteSet = [0xF0...0xF4]
  private static let patterns: [[ByteSet]] = [
    [[0xC2...0xDF], lost], [[0xC2...0xC3], mark],
    [surrogate, high, either, surrogate, low, all], [surrogate, high, all, surrogate, low, either],
    [three, either, any], [three, any, either],
    [four, either, any, any], [four, any, either, any], [four, any, any, either],
    [lost],
  ]
}
