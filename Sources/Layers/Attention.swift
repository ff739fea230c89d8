import VectorMath

/// Multi-head self-attention over `[items, positions, columns]` (Vaswani et al. 2017), keys beyond an item's length
/// left out.
public final class Attention {
  private let qkv: Linear
  private let out: Linear
  private let heads: Int

  /// - Parameter heads: must divide `columns`.
  public init(_ name: String, columns: Int, heads: Int, _ random: inout SeededRandom) {
    precondition(columns % heads == 0, "\(columns) columns do not divide into \(heads) heads")
    self.heads = heads
    qkv = Linear("\(name).qkv", inputs: columns, outputs: 3 * columns, &random)
    out = Linear("\(name).out", inputs: columns, outputs: columns, &random)
  }

  public var parameters: [Parameter] { qkv.parameters + out.parameters }

  /// - Parameters:
  ///   - x: `[items, positions, columns]`
  ///   - lengths: for each item, how many positions are looked at; at least one always is.
  /// - Returns: `[items, positions, columns]`
  public func forward(_ x: Tensor, lengths: [Int32], _ context: Context) -> Tensor {
    let (items, positions, columns) = (x.shape[0], x.shape[1], x.shape[2])
    let size = columns / heads
    let projected = qkv.forward(x, context)
    let mixed = context.pool.tensor(x.shape)
    let weights = context.pool.tensor([items, heads, positions, positions])
    let scale = 1 / Float(size).squareRoot()
    for item in 0..<items {
      let lengthOfRow = [Int32](repeating: max(lengths[item], 1), count: positions)
      for head in 0..<heads {
        let q = projected.data + item * positions * 3 * columns + head * size
        let w = weights.data + (item * heads + head) * positions * positions
        multiply(
          q, .no, q + columns, .yes, into: w, m: positions, n: positions, k: size, alpha: scale,
          lda: 3 * columns, ldb: 3 * columns)
        vm_softmax_rows(w, positions, positions, lengthOfRow)
        multiply(
          w, .no, q + 2 * columns, .no, into: mixed.data + item * positions * columns + head * size,
          m: positions, n: size, k: positions, ldb: 3 * columns, ldc: columns)
      }
    }
    context.save(projected)
    context.save(weights)
    return out.forward(mixed, context)
  }

  public func backward(_ dy: Tensor, _ context: Context) -> Tensor {
    let dMixed = out.backward(dy, context)
    let weights = context.restore()
    let projected = context.restore()
    let (items, positions, columns) = (dy.shape[0], dy.shape[1], dy.shape[2])
    let size = columns / heads
    let scale = 1 / Float(size).squareRoot()
    let dProjected = context.pool.tensor(projected.shape)
    let dWeights = context.pool.tensor([positions, positions])
    for item in 0..<items {
      for head in 0..<heads {
        let base = item * positions * 3 * columns + head * size
        let (q, dq) = (projected.data + base, dProjected.data + base)
        let slope = dMixed.data + item * positions * columns + head * size
        let w = weights.data + (item * heads + head) * positions * positions
        multiply(  // by the values
          w, .yes, slope, .no, into: dq + 2 * columns, m: positions, n: size, k: positions,
          ldb: columns, ldc: 3 * columns)
        multiply(
          slope, .no, q + 2 * columns, .yes, into: dWeights.data, m: positions, n: positions,
          k: size, lda: columns, ldb: 3 * columns)
        vm_softmax_backward_rows(w, dWeights.data, positions, positions)
        multiply(  // by the queries
          dWeights.data, .no, q + columns, .no, into: dq, m: positions, n: size, k: positions,
          alpha: scale, ldb: 3 * columns, ldc: 3 * columns)
        multiply(  // by the keys
          dWeights.data, .yes, q, .no, into: dq + columns, m: positions, n: size, k: positions,
          alpha: scale, ldb: 3 * columns, ldc: 3 * columns)
      }
    }
    return qkv.backward(dProjected, context)
  }
}

/// A pre-norm transformer block: x + attention(norm(x)), then x + MLP(norm(x)), as in CLIP's towers.
public final class TransformerBlock {
  private let norm: LayerNorm
  private let attention: Attention
  private let mlp: Residual

  public init(_ name: String, columns: Int, heads: Int, _ random: inout SeededRandom) {
    norm = LayerNorm("\(name).ln_1", columns)
    attention = Attention("\(name).attn", columns: columns, heads: heads, &random)
    mlp = Residual(
      Sequential([
        LayerNorm("\(name).ln_2", columns),
        Linear("\(name).mlp.c_fc", inputs: columns, outputs: 4 * columns, &random), QuickGELU(),
        Linear("\(name).mlp.c_proj", inputs: 4 * columns, outputs: columns, gain: 0.25, &random),
      ]))
  }

  public var parameters: [Parameter] {
    norm.parameters + attention.parameters + mlp.parameters
  }

  public func forward(_ x: Tensor, lengths: [Int32], _ context: Context) -> Tensor {
    let y = attention.forward(norm.forward(x, context), lengths: lengths, context)
    let sum = context.pool.copy(y)
    vm_add(x.data, sum.data, x.count)
    return mlp.forward(sum, context)
  }

  public func backward(_ dy: Tensor, _ context: Context) -> Tensor {
    let slope = mlp.backward(dy, context)
    let dx = norm.backward(attention.backward(slope, context), context)
    let sum = context.pool.copy(dx)
    vm_add(slope.data, sum.data, slope.count)
    return sum
  }
}
