import Glibc

/// SplitMix64 (Steele, Lea & Flood 2014): the same integers and uniform numbers for a seed on every machine and
/// toolchain. `normal` also takes the C library's logarithm and cosine, and is as reproducible as these.
public struct SeededRandom: RandomNumberGenerator, Sendable {
  private var state: UInt64
  private static let step: UInt64 = 0x9E37_79B9_7F4A_7C15

  /// The seed is the whole state: equal seeds give equal sequences.
  public init(seed: UInt64) { state = seed }

  public mutating func next() -> UInt64 {
    state &+= Self.step
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// Uniform in [0, 1).
  public mutating func uniform() -> Float { Float(next() >> 40) * 0x1p-24 }

  /// Uniform between the bounds.
  public mutating func uniform(_ range: ClosedRange<Float>) -> Float {
    range.lowerBound + (range.upperBound - range.lowerBound) * uniform()
  }

  /// Uniform in `0..<bound`.
  public mutating func below(_ bound: Int) -> Int {
    Int(next().multipliedFullWidth(by: UInt64(bound)).high)
  }

  /// Standard normal (Box-Muller).
  public mutating func normal() -> Float {
    let u = max(uniform(), 0x1p-24)
    return (-2 * logf(u)).squareRoot() * cosf(2 * Float.pi * uniform())
  }

  /// Goes on as if `count` normal numbers had been drawn.
  mutating func skip(normals count: Int) { state &+= UInt64(2 * count) &* Self.step }

  /// Fisher-Yates, in place.
  public mutating func shuffle<T>(_ array: inout [T]) {
    guard array.count > 1 else { return }
    for i in stride(from: array.count - 1, to: 0, by: -1) { array.swapAt(i, below(i + 1)) }
  }
}
