/// What a forward pass leaves for the backward pass: a stack of saved tensors, pushed by `forward` and popped in
/// reverse by `backward`. With `training` false nothing is saved. One thread only.
public final class Context {
  /// Where the layers take their tensors from.
  public let pool: BufferPool
  /// Whether `forward` saves what `backward` needs.
  public let training: Bool
  /// What layers draw from in training; whoever trains sets it at each step.
  public var random = SeededRandom(seed: 0)
  private var tape: [Tensor] = []
  private var integerTape: [[Int32]] = []
  private let prepared: PreparedWeights?

  /// - Parameters:
  ///   - pool: may serve several contexts of one thread.
  ///   - prepared: of layers whose weights stay as they are in all passes; nil where they may change.
  public init(training: Bool, pool: BufferPool = BufferPool(), prepared: PreparedWeights? = nil) {
    self.training = training
    self.pool = pool
    self.prepared = prepared
  }

  /// What a layer makes of its weights: `count` floats that `make` writes. They may be another thread's too, so that
  /// nobody else writes them.
  func derived(
    of layer: AnyObject, count: Int, _ make: (UnsafeMutablePointer<Float>) -> Void
  ) -> Tensor {
    if let prepared { return prepared.tensor(of: layer, count: count, make) }
    let tensor = pool.tensor([count])
    make(tensor.data)
    return tensor
  }

  /// Pushes what a `backward` will need, when training.
  public func save(_ tensor: Tensor) {
    if training { tape.append(tensor) }
  }

  public func save(_ integers: [Int32]) {
    if training { integerTape.append(integers) }
  }

  /// Pops what the matching `forward` saved last.
  public func restore() -> Tensor {
    precondition(!tape.isEmpty, "backward without a matching forward")
    return tape.removeLast()
  }

  public func restoreIntegers() -> [Int32] {
    precondition(!integerTape.isEmpty, "backward without a matching forward")
    return integerTape.removeLast()
  }

  /// True when every forward has been matched by its backward.
  public var isSettled: Bool { tape.isEmpty && integerTape.isEmpty }
}
