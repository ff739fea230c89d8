/// x + convolution(norm(x)), the norm rectified: a pre-norm residual block, its sum taken where the convolution writes.
public final class ResidualConvolution: Layer {
  private let norm: ImageNorm
  private let convolution: Convolution

  public init(_ name: String, channels: Int, _ random: inout SeededRandom) {
    norm = ImageNorm("\(name).norm", channels, rectified: .output)
    convolution = Convolution(
      "\(name).conv", kernel: 3, stride: 1, inputs: channels, outputs: channels, gain: 1, &random)
  }

  public var parameters: [Parameter] { norm.parameters + convolution.parameters }

  public func forward(_ x: Tensor, _ context: Context) -> Tensor {
    convolution.forward(norm.forward(x, context), adding: x, context)
  }

  public func backward(_ dy: Tensor, _ context: Context) -> Tensor {
    let dx = norm.backward(convolution.backward(dy, context), context)
    return context.pool.sum(dy, dx, shape: dy.shape)
  }
}
