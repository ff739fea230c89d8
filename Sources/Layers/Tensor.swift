/// A dense row-major float array. Its storage goes back to the pool it came from when the last reference goes.
public final class Tensor {
  /// Extents, outermost first.
  public let shape: [Int]
  /// The product of the shape.
  public let count: Int
  /// `count` floats, 64-byte aligned.
  public let data: UnsafeMutablePointer<Float>
  private let capacity: Int
  private let pool: BufferPool

  /// - Parameters:
  ///   - count: the product of `shape`.
  ///   - data: `capacity` floats, at least `count`, that `pool` made and takes back.
  init(
    shape: [Int], count: Int, data: UnsafeMutablePointer<Float>, capacity: Int, pool: BufferPool
  ) {
    self.shape = shape
    self.count = count
    self.data = data
    self.capacity = capacity
    self.pool = pool
  }

  deinit { pool.give(data, capacity: capacity) }

  /// The size of the last axis; a tensor has at least one.
  public var columns: Int { shape[shape.count - 1] }
  /// The product of all other axes.
  public var rows: Int { columns == 0 ? 0 : count / columns }
  /// A copy of the content.
  public var values: [Float] { Array(UnsafeBufferPointer(start: data, count: count)) }

  public func fill(_ value: Float) { data.update(repeating: value, count: count) }
}
