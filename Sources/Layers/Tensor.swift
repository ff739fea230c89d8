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
  /// Whose storage this is, if not its own.
  private let whole: Tensor?

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
    whole = nil
  }

  /// Shares the storage of the items `range` of the outermost axis.
  public init(_ whole: Tensor, items range: Range<Int>) {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= whole.shape[0], "\(range) of \(whole.shape)")
    let item = whole.count / max(whole.shape[0], 1)
    shape = [range.count] + whole.shape.dropFirst()
    count = range.count * item
    data = whole.data + range.lowerBound * item
    capacity = 0
    pool = whole.pool
    self.whole = whole
  }

  deinit { if whole == nil { pool.give(data, capacity: capacity) } }

  /// The size of the last axis; a tensor has at least one.
  public var columns: Int { shape[shape.count - 1] }
  /// The product of all other axes.
  public var rows: Int { columns == 0 ? 0 : count / columns }
  /// A copy of the content.
  public var values: [Float] { Array(UnsafeBufferPointer(start: data, count: count)) }

  public func fill(_ value: Float) { data.update(repeating: value, count: count) }
}
