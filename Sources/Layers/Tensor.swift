import VectorMath

/// A dense row-major float array. Its storage goes back to the pool it came from when the last reference goes.
public final class Tensor {
  public let shape: [Int]
  public let count: Int
  public let data: UnsafeMutablePointer<Float>
  private let pool: BufferPool

  fileprivate init(shape: [Int], count: Int, data: UnsafeMutablePointer<Float>, pool: BufferPool) {
    self.shape = shape
    self.count = count
    self.data = data
    self.pool = pool
  }

  deinit { pool.give(data, count: count) }

  /// The size of the last axis.
  public var columns: Int { shape[shape.count - 1] }
  /// The product of all other axes.
  public var rows: Int { columns == 0 ? 0 : count / columns }
  public var values: [Float] { Array(UnsafeBufferPointer(start: data, count: count)) }

  public func fill(_ value: Float) { data.update(repeating: value, count: count) }
}

/// Keeps buffers for reuse by size, so that a training step in steady state allocates nothing. One thread only.
public final class BufferPool {
  private var free: [Int: [UnsafeMutablePointer<Float>]] = [:]

  public init() {}

  deinit {
    for buffers in free.values { for buffer in buffers { buffer.deallocate() } }
  }

  /// A tensor of undefined content.
  public func tensor(_ shape: [Int]) -> Tensor {
    let count = shape.reduce(1, *)
    let data = free[count]?.popLast() ?? alignedFloats(count)
    return Tensor(shape: shape, count: count, data: data, pool: self)
  }

  public func zeros(_ shape: [Int]) -> Tensor {
    let tensor = tensor(shape)
    tensor.fill(0)
    return tensor
  }

  public func tensor(_ shape: [Int], _ values: [Float]) -> Tensor {
    let tensor = tensor(shape)
    precondition(values.count == tensor.count, "\(values.count) values for shape \(shape)")
    values.withUnsafeBufferPointer { source in
      if let base = source.baseAddress { tensor.data.update(from: base, count: source.count) }
    }
    return tensor
  }

  public func copy(_ other: Tensor) -> Tensor {
    let tensor = tensor(other.shape)
    tensor.data.update(from: other.data, count: other.count)
    return tensor
  }

  fileprivate func give(_ data: UnsafeMutablePointer<Float>, count: Int) {
    free[count, default: []].append(data)
  }
}

/// 64-byte aligned, uninitialised.
func alignedFloats(_ count: Int) -> UnsafeMutablePointer<Float> {
  UnsafeMutableRawPointer.allocate(
    byteCount: max(count, 16) * MemoryLayout<Float>.stride, alignment: 64
  ).bindMemory(to: Float.self, capacity: max(count, 16))
}

extension BufferPool {
  /// a + b under a new shape of the same count.
  public func sum(_ a: Tensor, _ b: Tensor, shape: [Int]) -> Tensor {
    let result = tensor(shape)
    precondition(
      a.count == result.count && b.count == result.count, "sum of \(a.shape), \(b.shape)")
    result.data.update(from: a.data, count: a.count)
    vm_add(b.data, result.data, b.count)
    return result
  }
}
