/// A sum of probabilities in units of 2^-62, exact whatever the order and the grouping of the terms. A term is rounded to
/// the unit once, so the mean of any number of terms is within 2^-63 of the mean of the reals.
struct FixedPointSum: Sendable, Equatable {
  private var units: Int128 = 0

  init() {}

  /// - Precondition: `-1.9 < value < 1.9`.
  mutating func add(_ value: Double) {
    let scaled = value * 0x1p62
    // Most are whole numbers as they are; rounding calls the C library.
    let whole = scaled.magnitude >= 0x1p52 ? scaled : scaled.rounded(.toNearestOrEven)
    units += Int128(Int64(whole))
  }

  mutating func add(_ other: FixedPointSum) { units += other.units }

  func divided(by count: Int) -> Double { Double(units) * 0x1p-62 / Double(count) }
}

/// Stored as `[high, low]`, the upper and the lower 64 bits: JSON's numbers don't hold more.
extension FixedPointSum: Codable {
  init(from decoder: any Decoder) throws {
    var values = try decoder.unkeyedContainer()
    let high = try values.decode(Int64.self)
    units = Int128(high) << 64 | Int128(try values.decode(UInt64.self))
  }

  func encode(to encoder: any Encoder) throws {
    var values = encoder.unkeyedContainer()
    try values.encode(Int64(units >> 64))
    try values.encode(UInt64(truncatingIfNeeded: units))
  }
}
