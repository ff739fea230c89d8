/// What a forward pass leaves for the backward pass: a stack of saved tensors, pushed by `forward` and popped in
/// reverse by `backward`. With `training` false nothing is saved. Also what layers make of weights that stay as they are.
/// One thread only.
public final class Context {
  /// Where the layers take their tensors from.
  public let pool = BufferPool()
  /// Whether `forward` saves what `backward` needs.
  public let training: Bool
  /// What layers draw from in training; whoever trains sets it at each step.
  public var random = SeededRandom(seed: 0)
  private var tape: [Tensor] = []
  private var integerTape: [[Int32]] = []
  private let weightsStay: Bool
  private var scratch: Tensor?
  private var derived: [ObjectIdentifier: Tensor] = [:]

  /// - Parameter weightsStay: all passes with this context see the same weights, so that what is made of them is made once.
  public init(training: Bool, weightsStay: Bool = false) {
    self.training = training
    self.weightsStay = weightsStay
  }

  /// What a layer, which lives as long as the context, makes of its weights: `count` floats that `make` writes.
  func derived(
    of layer: AnyObject, count: Int, _ make: (UnsafeMutablePointer<Float>) -> Void
  ) -> Tensor {
    let key = ObjectIdentifier(layer)
    if let kept = derived[key] { return kept }
    let tensor = pool.tensor([count])
    make(tensor.data)
    if weightsStay { derived[key] = tensor }
    return tensor
  }

  /// `count` floats for use within one call of a layer. All layers get the same ones, which so stay in a core's cache.
  func scratch(_ count: Int) -> UnsafeMutablePointer<Float> {
    if let scratch, scratch.count >= count { return scratch.data }
    scratch = nil
    let larger = pool.tensor([count])
    scratch = larger
    return larger.data
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
