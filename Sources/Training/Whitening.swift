import Layers

/// Takes the correlations out of patches. Any W with W W' = (C + regulariser I)^-1 does, since k-means over directions
/// doesn't mind a rotation: by Cholesky's L, with C + regulariser I = L L', W is L^-1 transposed.
struct Whitening: Sendable {
  /// `[values]`
  let mean: [Float]
  /// W, `[values, values]`: a centred patch is a row times it.
  let matrix: [Float]
  private let values: Int

  /// Subtracts the mean from the patches, `[count, values]`.
  init(centring patches: inout [Float], values: Int, _ regulariser: Double) {
    self.values = values
    let count = patches.count / values
    var sums = [Double](repeating: 0, count: values)
    for row in 0..<count {
      for d in 0..<values { sums[d] += Double(patches[row * values + d]) }
    }
    mean = sums.map { Float($0 / Double(max(1, count))) }
    for row in 0..<count {
      for d in 0..<values { patches[row * values + d] -= mean[d] }
    }
    var products = [Float](repeating: 0, count: values * values)
    if count > 0 {
      multiply(
        patches, .yes, patches, .no, into: &products, m: values, n: values, k: count,
        alpha: 1 / Float(max(1, count - 1)))
    }
    var covariance = products.map(Double.init)
    for d in 0..<values { covariance[d * values + d] += regulariser }
    let inverse = Self.inverse(ofLower: Self.cholesky(covariance, values), values)
    matrix = (0..<(values * values)).map {
      Float(inverse[($0 % values) * values + $0 / values])
    }
  }

  /// L, lower triangular, with L L' = `a`, symmetric and positive definite.
  private static func cholesky(_ a: [Double], _ n: Int) -> [Double] {
    var l = a
    for j in 0..<n {
      for i in j..<n {
        var sum = a[i * n + j]
        for k in 0..<j { sum -= l[i * n + k] * l[j * n + k] }
        l[i * n + j] = i == j ? max(sum, 1e-12).squareRoot() : sum / l[j * n + j]
      }
    }
    return l
  }

  private static func inverse(ofLower l: [Double], _ n: Int) -> [Double] {
    var inverse = [Double](repeating: 0, count: n * n)
    for column in 0..<n {
      inverse[column * n + column] = 1 / l[column * n + column]
      for row in (column + 1)..<max(n, column + 1) {
        var sum = 0.0
        for k in column..<row { sum -= l[row * n + k] * inverse[k * n + column] }
        inverse[row * n + column] = sum / l[row * n + row]
      }
    }
    return inverse
  }

  /// Atoms, unit rows `[count, values]`, for patches that are neither centred nor whitened: x filters + bias is
  /// (x - mean) W atoms'.
  func folded(into atoms: [Float], count: Int) -> (filters: [Float], bias: [Float]) {
    var filters = [Float](repeating: 0, count: values * count)
    multiply(matrix, .no, atoms, .yes, into: &filters, m: values, n: count, k: values)
    var bias = [Float](repeating: 0, count: count)
    multiply(mean, .no, filters, .no, into: &bias, m: 1, n: count, k: values, alpha: -1)
    return (filters, bias)
  }
}
