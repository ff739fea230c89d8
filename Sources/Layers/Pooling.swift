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

/// Makes one row of each item: packed `[rows, columns]` to `[items, columns]`.
public protocol PackedPooling: AnyObject, Sendable {
  func forward(_ x: Tensor, _ packing: Packing, _ context: Context) -> Tensor
  func backward(_ dy: Tensor, _ packing: Packing, _ context: Context) -> Tensor
}

/// The mean over each item's rows: packed `[rows, columns]` to `[items, columns]`; an item without rows gives 0.
public final class PackedMean: PackedPooling {
  public init() {}

  public func forward(_ x: Tensor, _ packing: Packing, _ context: Context) -> Tensor {
    let columns = x.columns
    let y = context.pool.zeros([packing.items, columns])
    for (item, length) in packing.lengths.enumerated() where length > 0 {
      let row = y.data + item * columns
      vm_add_column_sums(x.data + packing.starts[item] * columns, row, length, columns)
      for c in 0..<columns { row[c] /= Float(length) }
    }
    return y
  }

  public func backward(_ dy: Tensor, _ packing: Packing, _ context: Context) -> Tensor {
    let columns = dy.columns
    let dx = context.pool.zeros([packing.rows, columns])
    for (item, length) in packing.lengths.enumerated() {
      for row in packing.starts[item]..<(packing.starts[item] + length) {
        vm_axpy(1 / Float(length), dy.data + item * columns, dx.data + row * columns, columns)
      }
    }
    return dx
  }
}

/// One row of each item, the first or the last: packed `[rows, columns]` to `[items, columns]`; an item without rows
/// gives 0.
public final class PackedEnd: PackedPooling {
  private let last: Bool

  /// - Parameter last: the last row rather than the first.
  public init(last: Bool) { self.last = last }

  public func forward(_ x: Tensor, _ packing: Packing, _ context: Context) -> Tensor {
    let y = context.pool.zeros([packing.items, x.columns])
    forEachRow(packing) { item, row in
      (y.data + item * x.columns).update(from: x.data + row * x.columns, count: x.columns)
    }
    return y
  }

  public func backward(_ dy: Tensor, _ packing: Packing, _ context: Context) -> Tensor {
    let dx = context.pool.zeros([packing.rows, dy.columns])
    forEachRow(packing) { item, row in
      (dx.data + row * dy.columns).update(from: dy.data + item * dy.columns, count: dy.columns)
    }
    return dx
  }

  private func forEachRow(_ packing: Packing, _ body: (_ item: Int, _ row: Int) -> Void) {
    for (item, length) in packing.lengths.enumerated() where length > 0 {
      body(item, packing.starts[item] + (last ? length - 1 : 0))
    }
  }
}
