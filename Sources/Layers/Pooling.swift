import VectorMath

/// The mean over positions: `[images, height, width, channels]` to `[images, channels]`.
public final class AveragePool: Layer {
  public init() {}
  public var parameters: [Parameter] { [] }

  public func forward(_ x: Tensor, _ context: Context) -> Tensor {
    let (images, positions) = (x.shape[0], x.shape[1] * x.shape[2])
    let y = context.pool.zeros([images, x.columns])
    for image in 0..<images {
      let row = y.data + image * x.columns
      vm_add_column_sums(x.data + image * positions * x.columns, row, positions, x.columns)
      for c in 0..<x.columns { row[c] /= Float(positions) }
    }
    context.save(x)
    return y
  }

  public func backward(_ dy: Tensor, _ context: Context) -> Tensor {
    let x = context.restore()
    let positions = x.shape[1] * x.shape[2]
    let dx = context.pool.zeros(x.shape)
    for row in 0..<(x.shape[0] * positions) {
      vm_axpy(
        1 / Float(positions), dy.data + row / positions * x.columns, dx.data + row * x.columns,
        x.columns)
    }
    return dx
  }
}

/// The mean over the first `lengths[i]` of `[items, positions, columns]`, giving `[items, columns]`; a length of 0 gives 0.
public final class MaskedMean {
  public init() {}

  public func forward(_ x: Tensor, lengths: [Int32], _ context: Context) -> Tensor {
    let (items, positions, columns) = (x.shape[0], x.shape[1], x.shape[2])
    let y = context.pool.zeros([items, columns])
    for item in 0..<items where lengths[item] > 0 {
      let length = Int(lengths[item])
      let row = y.data + item * columns
      vm_add_column_sums(x.data + item * positions * columns, row, length, columns)
      for c in 0..<columns { row[c] /= Float(length) }
    }
    context.save(lengths)
    return y
  }

  public func backward(_ dy: Tensor, positions: Int, _ context: Context) -> Tensor {
    let lengths = context.restoreIntegers()
    let columns = dy.columns
    let dx = context.pool.zeros([lengths.count, positions, columns])
    for item in 0..<lengths.count {
      for position in 0..<Int(lengths[item]) {
        vm_axpy(
          1 / Float(lengths[item]), dy.data + item * columns,
          dx.data + (item * positions + position) * columns, columns)
      }
    }
    return dx
  }
}
