/// Damages files in a way that a seed decides.
public struct Mutator {
  private var state: UInt64

  public init(seed: UInt64) { state = seed }

  /// SplitMix64.
  private mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
    return word ^ (word >> 31)
  }

  private mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(max(1, bound))) }

  /// One of `seeds`, damaged in one to four places; its format's checksums are made true again every other time.
  public mutating func next(of target: FuzzTarget, seeds: [[UInt8]]) -> [UInt8] {
    var bytes = seeds[below(seeds.count)]
    for _ in 0...below(4) { damage(&bytes, other: seeds[below(seeds.count)]) }
    return below(2) == 0 ? bytes : target.repaired(bytes)
  }

  private mutating func damage(_ bytes: inout [UInt8], other: [UInt8]) {
    guard !bytes.isEmpty else {
      bytes = other
      return
    }
    let at = below(bytes.count)
    switch below(10) {
    case 0: bytes[at] ^= 1 << UInt8(below(8))
    case 1: bytes[at] = Self.edges[below(Self.edges.count)]
    case 2: bytes.swapAt(at, below(bytes.count))
    case 3: bytes.removeSubrange(at...)
    case 4: bytes.removeSubrange(range(in: bytes.count))
    case 5: bytes.insert(contentsOf: bytes[range(in: bytes.count)], at: at)
    case 6: bytes.insert(contentsOf: other[range(in: other.count)], at: at)
    case 7: overwrite(&bytes, at, with: other[range(in: other.count)])
    case 8: overwrite(&bytes, at, with: number()[...])
    default: changeDigits(&bytes, from: at)
    }
  }

  private static let edges: [UInt8] = [0, 1, 0x20, 0x30, 0x37, 0x39, 0x7F, 0x80, 0xC0, 0xFE, 0xFF]

  /// A stretch of up to 64 bytes, or a tar's block or two.
  private mutating func range(in count: Int) -> Range<Int> {
    if count >= 512, below(2) == 0 {
      let start = 512 * below(count / 512)
      return start..<min(count, start + 512 * (1 + below(2)))
    }
    let start = below(count)
    return start..<min(count, start + 1 + below(64))
  }

  private func overwrite(_ bytes: inout [UInt8], _ at: Int, with other: ArraySlice<UInt8>) {
    let end = min(bytes.count, at + other.count)
    bytes.replaceSubrange(at..<end, with: other.prefix(end - at))
  }

  /// A length that lies: 2, 4 or 8 bytes in either order.
  private mutating func number() -> [UInt8] {
    let width = 2 << below(3)
    let edges: [UInt64] = [
      0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFF_FFFF, 0xFFFF_FFFF, .max >> 1, .max,
    ]
    let value = below(3) == 0 ? next() >> UInt64(below(64)) : edges[below(edges.count)]
    let bytes = (0..<width).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
    return below(2) == 0 ? bytes : bytes.reversed()
  }

  /// Another number in place of the first one written in digits from there on.
  private mutating func changeDigits(_ bytes: inout [UInt8], from at: Int) {
    let isDigit = { (0x30...0x39).contains($0 as UInt8) }
    guard let start = bytes[at...].firstIndex(where: isDigit) else { return }
    let end = bytes[start...].firstIndex { !isDigit($0) } ?? bytes.count
    let texts = [
      "0", "1", "-1", "00", "777777", "4294967296", "9223372036854775807", "18446744073709551616",
      "1e300", "\(below(4096))",
    ]
    let text = Array(texts[below(texts.count)].utf8)
    // A field of a fixed width keeps it every other time.
    if below(2) == 0 {
      overwrite(&bytes, start, with: text[...])
    } else {
      bytes.replaceSubrange(start..<end, with: text)
    }
  }
}
