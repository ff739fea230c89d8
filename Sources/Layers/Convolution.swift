import VectorMath

/// A square convolution over `[images, height, width, channels]`, zero-padded by half the kernel.
public final class Convolution: Layer {
  private let weight: Parameter
  private let bias: Parameter
  private let kernel: Int
  private let stride: Int
  private let inputs: Int
  private let outputs: Int

  /// W is `[kernel, kernel, inputs, outputs]`. With `inputGradient` false (the first layer) `backward` gives an empty
  /// tensor and saves the work.
  public init(
    _ name: String, kernel: Int, stride: Int, inputs: Int, outputs: Int, gain: Float = 2,
    inputGradient: Bool = true, _ random: inout SeededRandom
  ) {
    self.kernel = kernel
    self.stride = stride
    self.inputs = inputs
    self.outputs = outputs
    self.inputGradient = inputGradient
    weight = .matrix(
      "\(name).weight", [kernel, kernel, inputs, outputs], fanIn: kernel * kernel * inputs,
      gain: gain, &random)
    bias = .vector("\(name).bias", outputs, 0)
  }

  private let inputGradient: Bool
  public var parameters: [Parameter] { [weight, bias] }

  public func forward(_ x: Tensor, _ context: Context) -> Tensor {
    forward(x, adding: nil, context)
  }

  /// - Parameter added: what is added to the result, of its shape.
  func forward(_ x: Tensor, adding added: Tensor?, _ context: Context) -> Tensor {
    precondition(x.shape.count == 4 && x.columns == inputs, "\(weight.name): input \(x.shape)")
    let shape = shape(x)
    let y = context.pool.tensor([x.shape[0], output(x.shape[1]), output(x.shape[2]), outputs])
    precondition(added == nil || added?.shape == y.shape, "\(weight.name): the sum's shape")
    let filters = context.derived(of: self, count: vm_convolution_filters(shape)) {
      vm_convolution_prepare(shape, weight.value, $0)
    }
    let scratch = context.pool.scratch(vm_convolution_scratch(shape))
    vm_convolution(shape, x.data, filters.data, bias.value, added?.data, y.data, scratch)
    context.save(x)
    return y
  }

  public func backward(_ dy: Tensor, _ context: Context) -> Tensor {
    let x = context.restore()
    let shape = shape(x)
    let scratch = context.pool.scratch(vm_convolution_scratch(shape))
    vm_add_column_sums(dy.data, bias.gradient, dy.rows, outputs)
    vm_convolution_weight_gradient(shape, x.data, dy.data, weight.gradient, scratch)
    guard inputGradient else { return context.pool.tensor([0]) }
    let dx = context.pool.tensor(x.shape)
    vm_convolution_input_gradient(shape, dy.data, weight.value, dx.data, scratch)
    return dx
  }

  private func output(_ side: Int) -> Int { (side + 2 * (kernel / 2) - kernel) / stride + 1 }

  private func shape(_ x: Tensor) -> vm_convolution_shape {
    vm_convolution_shape(
      images: x.shape[0], height: x.shape[1], width: x.shape[2], inputs: inputs, kernel: kernel,
      stride: stride, outputs: outputs)
  }
}
