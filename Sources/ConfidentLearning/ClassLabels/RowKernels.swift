import VectorMath

/// A type that probabilities are stored in, with the kernels over its rows; `PlainRow` says plainly what they compute.
protocol ProbabilityScalar: BinaryFloatingPoint, BitwiseCopyable, Sendable {
  typealias Values = UnsafePointer<Self>

  /// The least value that is at least `bound`: comparing with it is comparing, widened, with the bound.
  static func least(atLeast bound: Double) -> Self

  static func areSurelyProbabilities(_ values: Values, _ count: Int) -> Bool

  /// For each row its likeliest class, or -1 where no probability is above 0, and whether any reaches its bound.
  static func likeliest(
    _ values: Values, rows: Int, classes: Int, bounds: Values,
    into likeliest: UnsafeMutablePointer<Int32>, passes: UnsafeMutablePointer<UInt8>)

  /// Numbers of the rows in which a margin `value - given` reaches the floor of its cell, `[classes, classes]`, and how
  /// many there are. Margins are rounded, and so never below a floor that the exact ones reach.
  static func reachingRows(
    _ values: Values, rows: Int, classes: Int, labels: UnsafePointer<Int32>, floors: Values,
    into found: UnsafeMutablePointer<Int32>
  ) -> Int

  /// The same for the classes of one row.
  static func reachingClasses(
    _ row: Values, classes: Int, given: Self, floors: Values,
    into found: UnsafeMutablePointer<Int32>
  ) -> Int
}

extension Float: ProbabilityScalar {
  static func least(atLeast bound: Double) -> Float {
    let nearest = Float(bound)
    return Double(nearest) < bound ? nearest.nextUp : nearest
  }

  static func areSurelyProbabilities(_ values: Values, _ count: Int) -> Bool {
    vm_are_probabilities_f32(values, count) != 0
  }

  static func likeliest(
    _ values: Values, rows: Int, classes: Int, bounds: Values,
    into likeliest: UnsafeMutablePointer<Int32>, passes: UnsafeMutablePointer<UInt8>
  ) {
    vm_top_columns_f32(values, rows, classes, bounds, likeliest, passes)
  }

  static func reachingRows(
    _ values: Values, rows: Int, classes: Int, labels: UnsafePointer<Int32>, floors: Values,
    into found: UnsafeMutablePointer<Int32>
  ) -> Int {
    vm_reaching_rows_f32(values, rows, classes, labels, floors, found)
  }

  static func reachingClasses(
    _ row: Values, classes: Int, given: Float, floors: Values,
    into found: UnsafeMutablePointer<Int32>
  ) -> Int {
    vm_reaching_columns_f32(row, classes, given, floors, found)
  }
}

extension Double: ProbabilityScalar {
  static func least(atLeast bound: Double) -> Double { bound }

  static func areSurelyProbabilities(_ values: Values, _ count: Int) -> Bool {
    vm_are_probabilities_f64(values, count) != 0
  }

  static func likeliest(
    _ values: Values, rows: Int, classes: Int, bounds: Values,
    into likeliest: UnsafeMutablePointer<Int32>, passes: UnsafeMutablePointer<UInt8>
  ) {
    vm_top_columns_f64(values, rows, classes, bounds, likeliest, passes)
  }

  static func reachingRows(
    _ values: Values, rows: Int, classes: Int, labels: UnsafePointer<Int32>, floors: Values,
    into found: UnsafeMutablePointer<Int32>
  ) -> Int {
    vm_reaching_rows_f64(values, rows, classes, labels, floors, found)
  }

  static func reachingClasses(
    _ row: Values, classes: Int, given: Double, floors: Values,
    into found: UnsafeMutablePointer<Int32>
  ) -> Int {
    vm_reaching_columns_f64(row, classes, given, floors, found)
  }
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
