import Foundation
import Layers
import VectorMath

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
  ///   - start: a solution for another strength, to begin from; nil for zeros.
  ///   - tolerance: ends when no component of the slope of the mean loss is larger.
  init(
    _ x: Embeddings, labels: [Int], classes: Int, strength: Double,
    from start: LogisticRegression? = nil, tolerance: Double = 1e-5
  ) {
    precondition(labels.count == x.rows && x.rows > 0)
    (self.classes, columns) = (classes, x.columns)
    let weights = classes * x.columns
    // Divided by C n, so that values stay near 1 and one tolerance fits all.
    let penalty = 1 / (strength * Double(x.rows))
    var logits = [Float](repeating: 0, count: x.rows * classes)
    var weightSlope = [Float](repeating: 0, count: weights)
    let zeros = [Double](repeating: 0, count: weights + classes)
    let search = LBFGS(tolerance: tolerance)
    parameters = search.minimise(from: start?.parameters ?? zeros) { parameters, slope in
      Self.logits(of: x, parameters, classes: classes, into: &logits)
      let loss = Self.softmaxLoss(&logits, labels, classes: classes)
      product(logits, .yes, x.values, .no, into: &weightSlope, m: classes, n: x.columns, k: x.rows)
      var square = 0.0
      for i in 0..<weights {
        square += parameters[i] * parameters[i]
        slope[i] = Double(weightSlope[i]) + penalty * parameters[i]
      }
      for c in 0..<classes {
        slope[weights + c] = stride(from: c, to: logits.count, by: classes)
          .reduce(0) { $0 + Double(logits[$1]) }
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

  /// The mean cross-entropy; leaves its slope by the logits in their place.
  private static func softmaxLoss(
    _ logits: inout [Float], _ labels: [Int], classes: Int
  ) -> Double {
    let share = 1 / Float(labels.count)
    var loss = 0.0
    logits.withUnsafeMutableBufferPointer { logits in
      guard let p = logits.baseAddress else { return }
      vm_softmax_rows(p, labels.count, classes, nil)
      for (row, label) in labels.enumerated() {
        let row = p + row * classes
        loss -= log(Double(max(row[label], .leastNormalMagnitude)))
        row[label] -= 1
        for c in 0..<classes { row[c] *= share }
      }
    }
    return loss / Double(labels.count)
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
