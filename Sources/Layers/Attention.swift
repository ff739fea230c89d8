import VectorMath

/// Multi-head self-attention over packed rows (Vaswani et al. 2017): each position of an item looks at the positions of
/// the same item, with `causal` only at itself and those before it.
public final class Attention {
  private let qkv: Linear
  private let out: Linear
  private let heads: Int
  private let causal: Bool

  /// - Parameters:
  ///   - heads: must divide `columns`.
  ///   - bias: whether queries, keys and values have one.
  public init(
    _ name: String, columns: Int, heads: Int, causal: Bool = false, bias: Bool = true,
    _ random: inout SeededRandom
  ) {
    precondition(columns % heads == 0, "\(columns) columns do not divide into \(heads) heads")
    self.heads = heads
    self.causal = causal
    qkv = Linear("\(name).qkv", inputs: columns, outputs: 3 * columns, bias: bias, &random)
    out = Linear("\(name).out", inputs: columns, outputs: columns, &random)
  }

  public var parameters: [Parameter] { qkv.parameters + out.parameters }

  /// Adds the result to `sum`, which may be `x` itself where `context` isn't training.
  ///
  /// - Parameters:
  ///   - x: packed `[rows, columns]`
  ///   - sum: packed `[rows, columns]`
  func forward(_ x: Tensor, _ packing: Packing, addedTo sum: Tensor, _ context: Context) {
    precondition(x.rows == packing.rows, "\(x.rows) rows packed as \(packing.rows)")
    let mixed = mix(qkv.forward(x, context), packing, context)
    out.forward(mixed, addedTo: sum, context)
  }

  /// Queries, keys and values `[rows, 3 * columns]` to the heads' results `[rows, columns]`.
  func mix(_ projected: Tensor, _ packing: Packing, _ context: Context) -> Tensor {
    let columns = projected.columns / 3
    let mixed = context.pool.tensor([projected.rows, columns])
    forEachItem(packing, columns, backward: false, context) { length, row, scratch in
      let from = projected.data + row * 3 * columns
      let to = mixed.data + row * columns
      if length < Self.long {
        vm_attention(from, to, scratch, length, columns, heads, causal ? 1 : 0)
      } else {
        attendLong(from, to, scratch, length, columns)
      }
    }
    context.save(projected)
    return mixed
  }

  /// - Returns: the gradient by `x`, without what `sum` passes on.
  func backward(_ dy: Tensor, _ packing: Packing, _ context: Context) -> Tensor {
    let dMixed = out.backward(dy, context)
    let projected = context.restore()
    let columns = dy.columns
    let dProjected = context.pool.tensor(projected.shape)
    forEachItem(packing, columns, backward: true, context) { length, row, scratch in
      let from = projected.data + row * 3 * columns
      let slope = dMixed.data + row * columns
      let to = dProjected.data + row * 3 * columns
      if length < Self.long {
        vm_attention_backward(from, slope, to, scratch, length, columns, heads, causal ? 1 : 0)
      } else {
        attendLongBackward(from, slope, to, scratch, length, columns)
      }
    }
    return qkv.backward(dProjected, context)
  }

  /// From this length on a product of the BLAS is worth its call.
  private static let long = 256

  private func forEachItem(
    _ packing: Packing, _ columns: Int, backward: Bool, _ context: Context,
    _ body: (_ length: Int, _ row: Int, _ scratch: UnsafeMutablePointer<Float>) -> Void
  ) {
    let size = columns / heads
    let short = min(packing.longest, Self.long)
    let squares = packing.longest < Self.long ? 0 : packing.longest * packing.longest
    let scratch = context.pool.tensor([
      max(
        backward
          ? vm_attention_backward_scratch(short, size) : vm_attention_scratch(short, size),
        backward ? 2 * squares : squares)
    ])
    for (length, row) in zip(packing.lengths, packing.starts) { body(length, row, scratch.data) }
  }

  /// The weights of one head, `[length, length]`.
  private func weights(
    _ q: UnsafePointer<Float>, _ w: UnsafeMutablePointer<Float>, _ length: Int, _ columns: Int
  ) {
    let size = columns / heads
    multiply(
      q, .no, q + columns, .yes, into: w, m: length, n: length, k: size,
      alpha: 1 / Float(size).squareRoot(), lda: 3 * columns, ldb: 3 * columns)
    if causal {
      for row in 0..<length {
        var seen = Int32(row + 1)
        vm_softmax_rows(w + row * length, 1, length, &seen)
      }
    } else {
      vm_softmax_rows(w, length, length, nil)
    }
  }

  private func attendLong(
    _ qkv: UnsafePointer<Float>, _ mixed: UnsafeMutablePointer<Float>,
    _ w: UnsafeMutablePointer<Float>, _ length: Int, _ columns: Int
  ) {
    let size = columns / heads
    for head in 0..<heads {
      let q = qkv + head * size
      weights(q, w, length, columns)
      multiply(
        w, .no, q + 2 * columns, .no, into: mixed + head * size, m: length, n: size, k: length,
        ldb: 3 * columns, ldc: columns)
    }
  }

  private func attendLongBackward(
    _ qkv: UnsafePointer<Float>, _ dMixed: UnsafePointer<Float>,
    _ dqkv: UnsafeMutablePointer<Float>, _ w: UnsafeMutablePointer<Float>, _ length: Int,
    _ columns: Int
  ) {
    let size = columns / heads
    let scale = 1 / Float(size).squareRoot()
    let dWeights = w + length * length
    for head in 0..<heads {
      let (q, dq, slope) = (qkv + head * size, dqkv + head * size, dMixed + head * size)
      weights(q, w, length, columns)
      multiply(  // by the values
        w, .yes, slope, .no, into: dq + 2 * columns, m: length, n: size, k: length,
        ldb: columns, ldc: 3 * columns)
      multiply(
        slope, .no, q + 2 * columns, .yes, into: dWeights, m: length, n: length, k: size,
        lda: columns, ldb: 3 * columns)
      vm_softmax_backward_rows(w, dWeights, length, length)
      multiply(  // by the queries
        dWeights, .no, q + columns, .no, into: dq, m: length, n: size, k: length, alpha: scale,
        ldb: 3 * columns, ldc: 3 * columns)
      multiply(  // by the keys
        dWeights, .yes, q, .no, into: dq + columns, m: length, n: size, k: length, alpha: scale,
        ldb: 3 * columns, ldc: 3 * columns)
    }
  }
}
