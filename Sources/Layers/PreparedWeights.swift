import Foundation

/// What layers make of weights that stay as they are: made once, at first use, and then read by any number of threads.
public final class PreparedWeights: @unchecked Sendable {
  // Unchecked: the table is the lock's, and a tensor that stands in it is only read.
  private let lock = NSLock()
  private let pool = BufferPool()
  private var tensors: [ObjectIdentifier: Tensor] = [:]

  public init() {}

  /// - Parameters:
  ///   - layer: lives as long as this.
  ///   - make: writes all `count` floats.
  func tensor(
    of layer: AnyObject, count: Int, _ make: (UnsafeMutablePointer<Float>) -> Void
  ) -> Tensor {
    lock.withLock {
      let key = ObjectIdentifier(layer)
      if let kept = tensors[key] { return kept }
      // As large as it needs to be: the pool's own sizes leave room for others.
      let tensor = Tensor(
        shape: [count], count: count, data: alignedFloats(count), capacity: count, pool: pool)
      make(tensor.data)
      tensors[key] = tensor
      return tensor
    }
  }
}
