import Layers
import TensorFiles

/// A member's encoders whose weights stay as they are: any number of threads may encode with one copy of them, each with
/// a ``PairEncoder`` of its own.
public final class FrozenEncoder: @unchecked Sendable {
  // Unchecked: the weights are drawn or filled here, before anybody shares them; from then on they are only read. What a
  // forward pass needs besides lies in the caller's context, or behind a lock.
  let encoder: DualEncoder
  /// What its layers make of the weights, for all threads.
  let prepared = PreparedWeights()

  /// - Parameter encoder: with its final weights; nobody may change them from now on.
  public init(_ encoder: DualEncoder) {
    for parameter in encoder.parameters + encoder.frozen { _ = parameter.value }
    self.encoder = encoder
  }

  /// Cuts captions for it.
  public var tokenizer: any CaptionTokenizer { encoder.tokenizer }

  public var configuration: MemberConfiguration { encoder.configuration }

  /// A copy of every weight, trained or not.
  public var weights: [NamedTensor] { encoder.weights }

  /// Every weight where it lies, in the order of `weights`.
  func forEachWeight(_ body: (UnsafeBufferPointer<Float>) -> Void) {
    for parameter in encoder.parameters + encoder.frozen {
      body(UnsafeBufferPointer(start: parameter.value, count: parameter.count))
    }
  }

  /// Whether every weight is a finite number.
  public var isFinite: Bool {
    var isFinite = true
    forEachWeight { isFinite = isFinite && $0.allSatisfy(\.isFinite) }
    return isFinite
  }
}
