/// A by-product of the first read that spares the last one work: how many margins `P[actual] - P[given]` of each cell are how
/// large. Where as many reach a step as a cell has room for, that step is a floor of its selection, known beforehand.
///
/// A hint, no more: with counts of some rows, or of none, the selection is the same.
public struct MarginCounts: Sendable {
  private let classes: Int
  /// By given and true class and step, `[K, K, steps]`; empty where there are too many classes.
  private var counts: [UInt16]
  private var reached: [Int32]
  /// Indices of what is to be counted. Many at a time: each count is waited for when the cache doesn't hold it, those of a
  /// loop together.
  private var pending: [Int] = []

  public init(classes: Int) {
    self.classes = classes
    let isSmall = classes * classes * Self.steps <= Self.limit
    counts = isSmall ? Array(repeating: 0, count: classes * classes * Self.steps) : []
    reached = Array(repeating: 0, count: classes)
  }

  /// Counts at most, 2 MB of them.
  private static let limit = 1 << 20
  /// From `least` to 1, four to each doubling: a step is an exponent and two bits of a fraction, so that it is found exactly.
  private static let steps = 20
  static let least = 0x1p-5

  private static func step(_ margin: Double) -> Int {
    Int(margin.bitPattern >> 50) - Int(least.bitPattern >> 50)
  }

  private static func margin(_ step: Int) -> Double {
    Double(bitPattern: UInt64(step) << 50 + least.bitPattern)
  }

  /// Counts the margins of a row, over the classes' floors of `least`.
  @inline(__always)
  mutating func add<Scalar: ProbabilityScalar>(
    _ row: UnsafeBufferPointer<Scalar>, given: Int, floors: UnsafeBufferPointer<Scalar>
  ) {
    guard !counts.isEmpty, let values = row.baseAddress, let floor = floors.baseAddress else {
      return
    }
    let found = Scalar.reachingClasses(
      values, classes: classes, given: row[given], floors: floor, into: &reached)
    for actual in reached[..<found].lazy.map({ Int($0) }) {
      let step = Self.step(Double(row[actual]) - Double(row[given]))
      if step < 0 { continue }
      pending.append((given * classes + actual) * Self.steps + min(step, Self.steps - 1))
    }
    if pending.count >= 512 { count() }
  }

  /// Counts what is pending.
  mutating func count() {
    // Small counts, which a core's cache holds; one that is too low does no harm.
    for index in pending where counts[index] < .max { counts[index] += 1 }
    pending.removeAll(keepingCapacity: true)
  }

  public mutating func merge(_ other: MarginCounts) {
    precondition(other.classes == classes, "\(other.classes) classes, not \(classes)")
    for index in counts.indices {
      counts[index] = UInt16(clamping: Int(counts[index]) + Int(other.counts[index]))
    }
  }

  /// What the best `room` margins of a cell reach at least; -infinity where that isn't known.
  func floor(_ cell: Int, room: Int) -> Double {
    if counts.isEmpty { return -.infinity }
    var above = 0
    for step in (0..<Self.steps).reversed() {
      above += Int(counts[cell * Self.steps + step])
      if above >= room { return Self.margin(step) }
    }
    return -.infinity
  }
}
