/// What the kernels of `ProbabilityScalar` compute, said plainly; the rare rows that they leave are judged by it, too.
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
    let passed = row.indices.count { row[$0] >= bounds[$0] }
    if passed > 1 && rules == .cleanlab { return likeliest(row) }
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

  /// The classes whose margin over `given`, rounded, reaches the floor.
  static func reachingClasses<Scalar: ProbabilityScalar>(
    _ row: Row<Scalar>, given: Scalar, floors: Row<Scalar>
  ) -> [Int] {
    row.indices.filter { row[$0] - given >= floors[$0] }
  }
}
