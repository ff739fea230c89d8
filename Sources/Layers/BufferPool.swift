import VectorMath

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

  /// A tensor of zeros.
  public func zeros(_ shape: [Int]) -> Tensor {
    let tensor = tensor(shape)
    tensor.fill(0)
    return tensor
  }

  /// A tensor of these values, row-major.
  public func tensor(_ shape: [Int], _ values: [Float]) -> Tensor {
    let tensor = tensor(shape)
    precondition(values.count == tensor.count, "\(values.count) values for shape \(shape)")
    values.withUnsafeBufferPointer { source in
      if let base = source.baseAddress { tensor.data.update(from: base, count: source.count) }
    }
    return tensor
  }

  /// A tensor of the same shape and content.
  public func copy(_ other: Tensor) -> Tensor {
    let tensor = tensor(other.shape)
    tensor.data.update(from: other.data, count: other.count)
    return tensor
  }

  /// Takes back what a tensor held.
  func give(_ data: UnsafeMutablePointer<Float>, count: Int) {
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
