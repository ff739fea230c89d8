import VectorMath

/// Keeps buffers for reuse, so that a step in steady state allocates no storage, also where the sizes of the tensors
/// change from step to step. One thread only.
public final class BufferPool {
  /// Free buffers by capacity; capacities are powers of two and three steps between each.
  private var free: [Int: [UnsafeMutablePointer<Float>]] = [:]
  private var scratch = UnsafeMutableBufferPointer<Float>(start: nil, count: 0)
  /// Floats that were ever taken from the system.
  public private(set) var allocated = 0

  public init() {}

  deinit {
    for buffers in free.values { for buffer in buffers { buffer.deallocate() } }
    scratch.deallocate()
  }

  /// A tensor of undefined content.
  public func tensor(_ shape: [Int]) -> Tensor {
    let count = shape.reduce(1, *)
    let capacity = Self.capacity(of: count)
    // A buffer up to twice as large serves as well as a new one.
    var candidate = capacity
    while candidate <= 2 * capacity {
      if let data = free[candidate]?.popLast() {
        return Tensor(shape: shape, count: count, data: data, capacity: candidate, pool: self)
      }
      candidate = Self.capacity(of: candidate + 1)
    }
    allocated += capacity
    return Tensor(
      shape: shape, count: count, data: alignedFloats(capacity), capacity: capacity, pool: self)
  }

  /// The least capacity that holds `count` floats.
  private static func capacity(of count: Int) -> Int {
    guard count > 64 else { return 64 }
    let step = 1 << (Int.bitWidth - (count - 1).leadingZeroBitCount - 3)
    return (count + step - 1) / step * step
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

  /// `count` floats for use within one call of a layer. All layers get the same ones, which so stay in a core's cache.
  func scratch(_ count: Int) -> UnsafeMutablePointer<Float> {
    if let start = scratch.baseAddress, scratch.count >= count { return start }
    scratch.deallocate()
    let start = alignedFloats(count)
    scratch = UnsafeMutableBufferPointer(start: start, count: count)
    allocated += count
    return start
  }

  /// Takes back what a tensor held.
  func give(_ data: UnsafeMutablePointer<Float>, capacity: Int) {
    free[capacity, default: []].append(data)
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
    vm_sum(a.data, b.data, result.data, result.count)
    return result
  }
}
