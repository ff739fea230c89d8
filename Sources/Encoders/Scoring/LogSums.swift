import Glibc
import Layers
import VectorMath

/// The logits scale * a.b of all rows a against all rows b, and the logarithms of their rows' sums of exponentials.
///
/// Each sum is taken relative to its own largest term, so that none is lost at any scale.
struct LogSums {
  private let logits: [Float]
  private let columns: Int
  private var terms: [Float]

  /// - Parameters:
  ///   - left: `[rows, dimension]`
  ///   - right: `[columns, dimension]`
  init(_ left: [Float], _ right: [Float], columns: Int, dimension: Int, scale: Float) {
    let rows = left.count / dimension
    self.columns = columns
    terms = [Float](repeating: 0, count: columns)
    logits = [Float](unsafeUninitializedCapacity: rows * columns) { buffer, initialised in
      initialised = rows * columns
      left.withUnsafeBufferPointer { a in
        right.withUnsafeBufferPointer { b in
          guard let a = a.baseAddress, let b = b.baseAddress, let out = buffer.baseAddress,
            rows > 0
          else { return }
          multiply(a, .no, b, .yes, into: out, m: rows, n: columns, k: dimension, alpha: scale)
        }
      }
    }
  }

  func logit(row: Int, column: Int) -> Float { logits[row * columns + column] }

  /// log sum_r e^logit over the columns taken, scaled up for those left out; minus infinity where none is taken.
  mutating func logSum(row: Int, without leftOut: Set<Int>) -> Float {
    let taken = columns - leftOut.count
    guard taken > 0 else { return -.infinity }
    for column in 0..<columns { terms[column] = logits[row * columns + column] }
    for column in leftOut { terms[column] = -.infinity }
    let top = terms.max() ?? 0
    for column in 0..<columns { terms[column] -= top }
    terms.withUnsafeMutableBufferPointer { buffer in
      if let base = buffer.baseAddress { vm_exp(base, base, columns) }
    }
    return top + logf(terms.reduce(0, +)) + logf(Float(columns) / Float(taken))
  }
}

/// log(e^a + e^b); b may be minus infinity.
func logAdd(_ a: Float, _ b: Float) -> Float {
  max(a, b) + log1pf(expf(-abs(a - b)))
}
