import VectorMath

/// Scales each row of `[..., columns]` to Euclidean length 1.
public final class UnitLength: Layer {
  public init() {}
  public var parameters: [Parameter] { [] }

  public func forward(_ x: Tensor, _ context: Context) -> Tensor {
    let y = context.pool.tensor(x.shape)
    let inverse = context.pool.tensor([x.rows])
    for r in 0..<x.rows {
      let (row, out) = (x.data + r * x.columns, y.data + r * x.columns)
      let scale = 1 / max(vm_dot(row, row, x.columns), 1e-12).squareRoot()
      inverse.data[r] = scale
      for c in 0..<x.columns { out[c] = row[c] * scale }
    }
    context.save(y)
    context.save(inverse)
    return y
  }

  public func backward(_ dy: Tensor, _ context: Context) -> Tensor {
    let inverse = context.restore()
    let y = context.restore()
    let dx = context.pool.tensor(y.shape)
    let n = y.columns
    for r in 0..<y.rows {
      let (unit, slope, out) = (y.data + r * n, dy.data + r * n, dx.data + r * n)
      let along = vm_dot(unit, slope, n)
      for c in 0..<n { out[c] = (slope[c] - unit[c] * along) * inverse.data[r] }
    }
    return dx
  }
}
