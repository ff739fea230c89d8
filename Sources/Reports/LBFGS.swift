/// Minimises a smooth convex function: limited-memory BFGS with a backtracking line search (Nocedal and Wright, Numerical
/// Optimization, algorithms 3.1 and 7.4).
struct LBFGS {
  /// Steps and slope differences remembered.
  var memory = 10
  var maxIterations = 300
  /// Ends when no component of the slope is larger.
  var tolerance = 1e-6

  /// - Parameter function: the value at `x`; writes the slope there, of the same count.
  /// - Returns: where it ended.
  func minimise(
    from start: [Double], _ function: (_ x: [Double], _ slope: inout [Double]) -> Double
  ) -> [Double] {
    var x = start
    var slope = [Double](repeating: 0, count: x.count)
    var value = function(x, &slope)
    var pairs: [Pair] = []
    for _ in 0..<maxIterations {
      guard (slope.lazy.map(abs).max() ?? 0) > tolerance else { break }
      var direction = Self.direction(slope, pairs)
      var descent = dot(direction, slope)
      if descent >= 0 {
        pairs = []
        direction = slope.map { -$0 }
        descent = dot(direction, slope)
      }
      var step = pairs.isEmpty ? 1 / max(1, dot(slope, slope).squareRoot()) : 1
      var next = x
      var nextSlope = slope
      var nextValue = value
      var isLower = false
      while step > 1e-12, !isLower {
        for i in x.indices { next[i] = x[i] + step * direction[i] }
        nextValue = function(next, &nextSlope)
        isLower = nextValue <= value + 1e-4 * step * descent
        step /= 2
      }
      // Rounding hides any lower value: this is as far as it goes.
      guard isLower else { break }
      let pair = Pair(from: x, slope, to: next, nextSlope)
      if pair.curvature > 1e-12 { pairs.append(pair) }
      if pairs.count > memory { pairs.removeFirst() }
      (x, slope, value) = (next, nextSlope, nextValue)
    }
    return x
  }

  private struct Pair {
    var s: [Double]
    var y: [Double]
    /// s.y
    var curvature: Double

    init(from x: [Double], _ slope: [Double], to next: [Double], _ nextSlope: [Double]) {
      s = zip(next, x).map { $0 - $1 }
      y = zip(nextSlope, slope).map { $0 - $1 }
      curvature = dot(s, y)
    }
  }

  /// The two-loop recursion: minus the approximate inverse Hessian times the slope.
  private static func direction(_ slope: [Double], _ pairs: [Pair]) -> [Double] {
    var q = slope.map { -$0 }
    var alphas: [Double] = []
    for pair in pairs.reversed() {
      let alpha = dot(pair.s, q) / pair.curvature
      for i in q.indices { q[i] -= alpha * pair.y[i] }
      alphas.append(alpha)
    }
    if let last = pairs.last {
      let scale = last.curvature / dot(last.y, last.y)
      for i in q.indices { q[i] *= scale }
    }
    for (pair, alpha) in zip(pairs, alphas.reversed()) {
      let beta = dot(pair.y, q) / pair.curvature
      for i in q.indices { q[i] += (alpha - beta) * pair.s[i] }
    }
    return q
  }
}

private func dot(_ a: [Double], _ b: [Double]) -> Double {
  var sum = 0.0
  for i in a.indices { sum += a[i] * b[i] }
  return sum
}
