import VectorMath

/// y = x W + b, with x `[rows, inputs]` and W `[inputs, outputs]`.
public final class Linear: Layer {
  /// `[inputs, outputs]`, drawn from N(0, gain / inputs).
  public let weight: Parameter
  /// `[outputs]`, at first 0.
  public let bias: Parameter?
  private let inputs: Int
  private let outputs: Int
  private let inputGradient: Bool

  /// With `inputGradient` false (the first layer) `backward` gives an empty tensor and saves the work.
  public init(
    _ name: String, inputs: Int, outputs: Int, bias: Bool = true, gain: Float = 1,
    inputGradient: Bool = true, _ random: inout SeededRandom
  ) {
    self.inputGradient = inputGradient
    self.inputs = inputs
    self.outputs = outputs
    weight = .matrix("\(name).weight", [inputs, outputs], fanIn: inputs, gain: gain, &random)
    self.bias = bias ? .vector("\(name).bias", outputs, 0) : nil
  }

  public var parameters: [Parameter] { [weight] + (bias.map { [$0] } ?? []) }

  public func forward(_ x: Tensor, _ context: Context) -> Tensor {
    precondition(x.columns == inputs, "\(weight.name): input \(x.shape)")
    let y = context.pool.tensor(x.shape.dropLast() + [outputs])
    multiply(x.data, .no, weight.value, .no, into: y.data, m: x.rows, n: outputs, k: inputs)
    if let bias { vm_add_bias(y.data, bias.value, y.rows, outputs) }
    context.save(x)
    return y
  }

  /// Adds x W + b to `sum`, `[rows, outputs]`.
  func forward(_ x: Tensor, addedTo sum: Tensor, _ context: Context) {
    precondition(x.columns == inputs && sum.columns == outputs, "\(weight.name): \(x.shape)")
    multiply(
      x.data, .no, weight.value, .no, into: sum.data, m: x.rows, n: outputs, k: inputs, beta: 1)
    if let bias { vm_add_bias(sum.data, bias.value, sum.rows, outputs) }
    context.save(x)
  }

  public func backward(_ dy: Tensor, _ context: Context) -> Tensor {
    let x = context.restore()
    multiply(
      x.data, .yes, dy.data, .no, into: weight.gradient, m: inputs, n: outputs, k: x.rows, beta: 1)
    if let bias { vm_add_column_sums(dy.data, bias.gradient, dy.rows, outputs) }
    guard inputGradient else { return context.pool.tensor([0]) }
    let dx = context.pool.tensor(x.shape)
    multiply(dy.data, .no, weight.value, .yes, into: dx.data, m: x.rows, n: inputs, k: outputs)
    return dx
  }
}
