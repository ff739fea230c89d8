import Foundation
import Layers

/// Multinomial logistic regression with an L2 penalty: the linear probe that CLIP's embeddings are judged by (Radford et
/// al. 2021, appendix A.3). It minimises what scikit-learn's `LogisticRegression(C=strength)` does,
///
///     C * sum_i -log softmax(W x_i + b)[y_i]  +  1/2 |W|^2,
///
/// the intercepts b free of penalty, by L-BFGS.
struct LogisticRegression: Sendable {
  let classes: Int
  let columns: Int
  /// `[classes, columns]` and then `[classes]` intercepts.
  private let parameters: [Double]

  /// - Parameters:
  ///   - labels: for each row its class, in `0..<classes`.
  ///   - strength: C, above 0; a larger one penalises less.
  init(_ x: Embeddings, labels: [Int], classes: Int, strength: Double) {
    precondition(labels.count == x.rows && x.rows > 0)
    (self.classes, columns) = (classes, x.columns)
    let weights = classes * x.columns
    // Divided by C n, so that values stay near 1 and one tolerance fits all.
    let penalty = 1 / (strength * Double(x.rows))
    var logits = [Float](repeating: 0, count: x.rows * classes)
    var weightSlope = [Float](repeating: 0, count: weights)
    let start = [Double](repeating: 0, count: weights + classes)
    parameters = LBFGS().minimise(from: start) { parameters, slope in
      Self.logits(of: x, parameters, classes: classes, into: &logits)
      for i in (weights..<slope.count) { slope[i] = 0 }
      let loss = Self.softmaxLoss(&logits, labels, classes: classes) { column, share in
        slope[weights + column] += share
      }
      product(logits, .yes, x.values, .no, into: &weightSlope, m: classes, n: x.columns, k: x.rows)
      var square = 0.0
      for i in 0..<weights {
        square += parameters[i] * parameters[i]
        slope[i] = Double(weightSlope[i]) + penalty * parameters[i]
      }
      return loss + penalty * square / 2
    }
  }

  /// x W^T + b, `[rows, classes]`.
  func logits(of x: Embeddings) -> [Float] {
    var logits = [Float](repeating: 0, count: x.rows * classes)
    Self.logits(of: x, parameters, classes: classes, into: &logits)
    return logits
  }

  /// The likeliest class of each row; of equally likely ones the first.
  func predict(_ x: Embeddings) -> [Int] {
    let logits = logits(of: x)
    return (0..<x.rows).map { row in
      let start = row * classes
      return (1..<classes).reduce(0) { logits[start + $1] > logits[start + $0] ? $1 : $0 }
    }
  }

  private static func logits(
    of x: Embeddings, _ parameters: [Double], classes: Int, into logits: inout [Float]
  ) {
    let weights = parameters[..<(classes * x.columns)].map { Float($0) }
    let intercepts = parameters[(classes * x.columns)...].map { Float($0) }
    product(x.values, .no, weights, .yes, into: &logits, m: x.rows, n: classes, k: x.columns)
    for row in 0..<x.rows {
      for c in 0..<classes { logits[row * classes + c] += intercepts[c] }
    }
  }

  /// The mean cross-entropy; leaves its slope by the logits in their place, and hands on each of its values too.
  private static func softmaxLoss(
    _ logits: inout [Float], _ labels: [Int], classes: Int, _ add: (Int, Double) -> Void
  ) -> Double {
    let share = 1 / Double(labels.count)
    var loss = 0.0
    for (row, label) in labels.enumerated() {
      let range = (row * classes)..<((row + 1) * classes)
      let highest = Double(logits[range].max() ?? 0)
      let target = Double(logits[range.lowerBound + label])
      var sum = 0.0
      for i in range {
        let power = exp(Double(logits[i]) - highest)
        logits[i] = Float(power)
        sum += power
      }
      loss += log(sum) + highest - target
      for (column, i) in range.enumerated() {
        let slope = share * (Double(logits[i]) / sum - (column == label ? 1 : 0))
        logits[i] = Float(slope)
        add(column, slope)
      }
    }
    return loss * share
  }
}

/// C = op(A) op(B) of arrays, as `multiply`.
func product(
  _ a: [Float], _ transposeA: Transposed, _ b: [Float], _ transposeB: Transposed,
  into c: inout [Float], m: Int, n: Int, k: Int
) {
  precondition(a.count >= m * k && b.count >= n * k && c.count >= m * n)
  a.withUnsafeBufferPointer { a in
    b.withUnsafeBufferPointer { b in
      c.withUnsafeMutableBufferPointer { c in
        guard let a = a.baseAddress, let b = b.baseAddress, let c = c.baseAddress else { return }
        multiply(a, transposeA, b, transposeB, into: c, m: m, n: n, k: k)
      }
    }
  }
}
