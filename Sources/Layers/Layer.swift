/// A differentiable function of one tensor.
public protocol Layer: AnyObject {
  var parameters: [Parameter] { get }
  /// The value; in training, saves in `context` what `backward` will need.
  func forward(_ x: Tensor, _ context: Context) -> Tensor
  /// Takes the gradient of the loss by the output of the last unmatched `forward`, adds to the gradients of the
  /// parameters, and gives the gradient by the input.
  func backward(_ dy: Tensor, _ context: Context) -> Tensor
}

/// Layers one after another.
public final class Sequential: Layer {
  private let layers: [any Layer]

  public init(_ layers: [any Layer]) { self.layers = layers }

  public var parameters: [Parameter] { layers.flatMap(\.parameters) }

  public func forward(_ x: Tensor, _ context: Context) -> Tensor {
    layers.reduce(x) { $1.forward($0, context) }
  }

  public func backward(_ dy: Tensor, _ context: Context) -> Tensor {
    layers.reversed().reduce(dy) { $1.backward($0, context) }
  }
}
