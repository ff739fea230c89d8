/// A type that probabilities are stored in.
protocol ProbabilityScalar: BinaryFloatingPoint, BitwiseCopyable, Sendable {
  associatedtype Bits: FixedWidthInteger & SignedInteger
  /// The bit pattern as a signed number: of values >= +0, in the order of the values. Maxima of integers are
  /// vectorised, those of floating-point numbers are not.
  var signedBits: Bits { get }
  /// The least value that is at least `bound`: comparing with it is comparing, widened, with the bound.
  static func least(atLeast bound: Double) -> Self
}

extension Float: ProbabilityScalar {
  var signedBits: Int32 { Int32(bitPattern: bitPattern) }
  static func least(atLeast bound: Double) -> Float {
    let nearest = Float(bound)
    return Double(nearest) < bound ? nearest.nextUp : nearest
  }
}

extension Double: ProbabilityScalar {
  var signedBits: Int64 { Int64(bitPattern: bitPattern) }
  static func least(atLeast bound: Double) -> Double { bound }
}

/// From where on a probability passes its class, in both types. `[K]`
struct ConfidenceBounds: Sendable, Equatable {
  let float64: [Double]
  let float32: [Float]

  init(thresholds: [Double], rules: ClassLabelRules) {
    float64 = thresholds.map { $0 - rules.tolerance }
    float32 = float64.map { .least(atLeast: $0) }
  }
}

/// The fast kernels over one row of probabilities; `PlainRow` says plainly what each computes.
enum RowKernels<Scalar: ProbabilityScalar> {
  typealias Row = UnsafeBufferPointer<Scalar>

  /// Whether all values are in 0...1; false also for a -0.
  @inline(__always)
  static func areSurelyProbabilities(_ values: Row) -> Bool {
    var largest = Scalar.Bits.min
    var signs: Scalar.Bits = 0
    for value in values {
      let bits = value.signedBits
      largest = max(largest, bits)
      signs |= bits
    }
    return signs >= 0 && largest <= (1 as Scalar).signedBits
  }

  /// The class that the row counts for in the confident joint, or -1.
  @inline(__always)
  static func confidentLabel(_ row: Row, bounds: Row, label: Int, rules: ClassLabelRules) -> Int {
    var passed: Scalar.Bits = 0
    var largest = Scalar.Bits.min
    for k in row.indices {
      let value = row[k]
      passed &+= value >= bounds[k] ? 1 : 0
      largest = max(largest, value.signedBits)
    }
    if passed == 0 { return -1 }
    if passed == 1 {
      if row[label] >= bounds[label] { return label }
      var k = 0
      while row[k] < bounds[k] { k += 1 }
      return k
    }
    if rules == .paper { return PlainRow.likeliestPassed(row, bounds: bounds) }
    // Bit patterns of negative numbers and of both zeros don't sort like the numbers.
    if largest <= 0 { return PlainRow.likeliest(row) }
    var k = 0
    while row[k].signedBits != largest { k += 1 }
    return k
  }

  /// The likeliest class, where the given label wins if it is within `margin`.
  @inline(__always)
  static func prediction(_ row: Row, label: Int, margin: Double) -> Int {
    var largest = Scalar.Bits.min
    for value in row { largest = max(largest, value.signedBits) }
    if largest <= 0 { return PlainRow.prediction(row, label: label, margin: margin) }
    var k = 0
    while row[k].signedBits != largest { k += 1 }
    let given = Double(row[label]) + margin
    let best = Double(row[k])
    return given > best ? label : given < best ? k : min(k, label)
  }

  /// Whether one of the margins `row[k] - given`, k in `block`, reaches `floors[k]`. Computed in the type of the row,
  /// rounded, and so never false where the exact comparison is true.
  @inline(__always)
  static func mayReach(
    _ row: Row, _ block: Range<Int>, floors: UnsafeMutableBufferPointer<Scalar>, given: Scalar
  ) -> Bool {
    // As plain as can be: with a range's checks in the loop, it isn't vectorised.
    let count = block.count
    let values = UnsafeBufferPointer(rebasing: row[block])
    let bounds = UnsafeMutableBufferPointer(rebasing: floors[block])
    var hits: Scalar.Bits = 0
    var k = 0
    while k < count {
      hits &+= values[k] - given >= bounds[k] ? 1 : 0
      k &+= 1
    }
    return hits != 0
  }
}

/// What the kernels compute, said plainly.
enum PlainRow {
  typealias Row<Scalar> = UnsafeBufferPointer<Scalar>

  /// The lowest class of the highest probability.
  static func likeliest<Scalar: ProbabilityScalar>(_ row: Row<Scalar>) -> Int {
    var best = 0
    for k in row.indices where row[k] > row[best] { best = k }
    return best
  }

  /// The same, among the classes that are passed; -1 where none is.
  static func likeliestPassed<Scalar: ProbabilityScalar>(
    _ row: Row<Scalar>, bounds: Row<Scalar>
  ) -> Int {
    var best = -1
    for k in row.indices where row[k] >= bounds[k] && (best < 0 || row[k] > row[best]) { best = k }
    return best
  }

  static func confidentLabel<Scalar: ProbabilityScalar>(
    _ row: Row<Scalar>, bounds: Row<Scalar>, rules: ClassLabelRules
  ) -> Int {
    let passed = row.indices.filter { row[$0] >= bounds[$0] }
    if passed.count > 1 && rules == .cleanlab { return likeliest(row) }
    return likeliestPassed(row, bounds: bounds)
  }

  /// The likeliest class, where the given label wins if it is within `margin`.
  static func prediction<Scalar: ProbabilityScalar>(
    _ row: Row<Scalar>, label: Int, margin: Double
  ) -> Int {
    var best = 0
    var highest = -Double.infinity
    for k in row.indices {
      let value = Double(row[k]) + (k == label ? margin : 0)
      if value > highest { (best, highest) = (k, value) }
    }
    return best
  }
}
