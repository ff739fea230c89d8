/// How labels come about, told from a joint of given and true labels: how often each class truly occurs, and how it is
/// mislabelled. cleanlab's `estimate_latent`.
public struct LatentEstimates: Sendable, Equatable {
  /// How the prior of the true classes is estimated.
  public enum PriorMethod: String, Sendable, CaseIterable {
    /// From the diagonals of both noise matrices: robust where the rest of them is estimated poorly. The default.
    case counts = "cnt"
    /// The column sums of the joint.
    case marginal
    /// The inverse noise matrix times the frequencies of the given labels.
    case marginalGiven = "marginal_ps"
    /// The frequencies of the given labels, solved for the noise matrix.
    case equation = "eqn"
  }

  /// P(true label = k), `[K]`, sum 1, none below about 1e-6.
  public private(set) var prior: [Double]
  /// P(given label | true label): row given, column true; columns sum to 1 (to 0 for a class that never occurs).
  public private(set) var noiseMatrix: ClassMatrix<Double>
  /// P(true label | given label): row true, column given; columns sum to 1 (to 0 for a class never given).
  public private(set) var inverseNoiseMatrix: ClassMatrix<Double>

  /// - Parameters:
  ///   - joint: by given (row) and true (column) label; `ClassNoiseModel.calibratedJoint`.
  ///   - labelCounts: rows of each given label, `[K]`.
  ///   - converge: make the three agree, each computed from the others in turn (each is estimated by itself).
  /// - Throws: `.parameter` for `.equation` where the noise matrix has no inverse.
  public init(
    joint: ClassMatrix<Double>, labelCounts: [Int], prior method: PriorMethod = .counts,
    converge: Bool = false
  ) throws(ClassLabelError) {
    let total = Double(labelCounts.reduce(0, +))
    let given = labelCounts.map { Double($0) / total }
    let trueCounts = joint.columnSums
    let noise = joint.dividingColumns(by: trueCounts)
    let inverse = joint.transposed.dividingColumns(by: joint.rowSums)
    let rough: [Double]
    switch method {
    case .counts: rough = Self.priorByCounts(given, noise, inverse)
    case .marginal: rough = trueCounts.map { $0 / max(trueCounts.reduce(0, +), tiny) }
    case .marginalGiven: rough = inverse.times(given)
    case .equation: rough = try noise.solved(for: given)
    }
    prior = Self.clipped(rough, low: Self.least)
    noiseMatrix = noise.clippingRates()
    inverseNoiseMatrix = inverse.clippingRates()
    if converge { makeConsistent(given) }
  }

  /// No class has a prior of 0.
  private static let least = 1e-6

  private static func priorByCounts(
    _ given: [Double], _ noise: ClassMatrix<Double>, _ inverse: ClassMatrix<Double>
  ) -> [Double] {
    given.indices.map { k in inverse[k, k] / max(noise[k, k], tiny) * given[k] }
  }

  private static func clipped(_ values: [Double], low: Double) -> [Double] {
    let inside = values.map { min(max($0, low), 1) }
    let sum = max(pairwiseSum(inside), tiny)
    return inside.map { $0 / sum }
  }

  private mutating func makeConsistent(_ given: [Double]) {
    for _ in 0..<3 {
      for _ in 0..<5 {
        inverseNoiseMatrix = noiseMatrix.scalingColumns(by: prior).transposed
          .dividingColumns(by: given).clippingRates()
        prior = Self.clipped(
          Self.priorByCounts(given, noiseMatrix, inverseNoiseMatrix), low: Self.least)
      }
      noiseMatrix = inverseNoiseMatrix.scalingColumns(by: given).transposed
        .dividingColumns(by: prior).clippingRates()
    }
    prior = Self.clipped(prior, low: 1e-5)
    noiseMatrix = noiseMatrix.clippingRates()
    inverseNoiseMatrix = inverseNoiseMatrix.clippingRates()
  }
}

extension ClassMatrix where Element == Double {
  func dividingColumns(by divisors: [Double]) -> ClassMatrix {
    eachCell { value, _, column in value / Swift.max(divisors[column], tiny) }
  }

  func scalingColumns(by factors: [Double]) -> ClassMatrix {
    eachCell { value, _, column in value * factors[column] }
  }

  func times(_ vector: [Double]) -> [Double] {
    (0..<classes).map { index in zip(row(index), vector).reduce(0) { $0 + $1.0 * $1.1 } }
  }

  /// Noise rates (off the diagonal) clipped to 0...0.9999, then columns scaled to sum 1.
  func clippingRates() -> ClassMatrix {
    let clipped = eachCell { value, row, column in
      row == column ? value : Swift.min(Swift.max(value, 0), 0.9999)
    }
    return clipped.dividingColumns(by: clipped.columnSums)
  }

  /// x with `self` times x = `right`, by Gaussian elimination with partial pivoting.
  func solved(for right: [Double]) throws(ClassLabelError) -> [Double] {
    var matrix = self
    var result = right
    for column in 0..<classes {
      let pivot = (column..<classes).max { abs(matrix[$0, column]) < abs(matrix[$1, column]) }
      guard let pivot, abs(matrix[pivot, column]) > 1e-12 else {
        throw .parameter("the noise matrix has no inverse; take another estimate of the prior")
      }
      if pivot != column {
        for k in 0..<classes {
          (matrix[pivot, k], matrix[column, k]) = (matrix[column, k], matrix[pivot, k])
        }
        result.swapAt(pivot, column)
      }
      for row in (column + 1)..<classes {
        let factor = matrix[row, column] / matrix[column, column]
        if factor == 0 { continue }
        for k in column..<classes { matrix[row, k] -= factor * matrix[column, k] }
        result[row] -= factor * result[column]
      }
    }
    for row in (0..<classes).reversed() {
      for k in (row + 1)..<classes { result[row] -= matrix[row, k] * result[k] }
      result[row] /= matrix[row, row]
    }
    return result
  }

  private func eachCell(_ transform: (Double, Int, Int) -> Double) -> ClassMatrix {
    var result = self
    for row in 0..<classes {
      for column in 0..<classes { result[row, column] = transform(self[row, column], row, column) }
    }
    return result
  }
}
