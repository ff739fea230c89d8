import VectorMath

/// Normalises the last axis, `[..., columns]`, to mean 0 and deviation 1, then scales and shifts (Ba, Kiros & Hinton 2016).
public final class LayerNorm: Layer {
  private let gain: Parameter
  private let bias: Parameter
  private let epsilon: Float

  /// - Parameter epsilon: added to the variance.
  public init(_ name: String, _ columns: Int, epsilon: Float = 1e-5) {
    self.epsilon = epsilon
    gain = .vector("\(name).weight", columns, 1)
    bias = .vector("\(name).bias", columns, 0)
  }

  public var parameters: [Parameter] { [gain, bias] }

  public func forward(_ x: Tensor, _ context: Context) -> Tensor {
    precondition(x.columns == gain.count, "\(gain.name): input \(x.shape)")
    let y = context.pool.tensor(x.shape)
    let statistics = context.pool.tensor([x.rows, 2])
    vm_layer_norm(
      x.data, gain.value, bias.value, y.data, statistics.data, x.rows, x.columns, epsilon)
    context.save(x)
    context.save(statistics)
    return y
  }

  public func backward(_ dy: Tensor, _ context: Context) -> Tensor {
    let statistics = context.restore()
    let x = context.restore()
    let dx = context.pool.tensor(x.shape)
    vm_layer_norm_backward(
      x.data, gain.value, statistics.data, dy.data, dx.data, gain.gradient, bias.gradient, x.rows,
      x.columns)
    return dx
  }
}
