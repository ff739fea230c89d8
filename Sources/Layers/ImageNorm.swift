import VectorMath

/// Normalises each image of `[images, height, width, channels]` to mean 0 and deviation 1 over all its positions and
/// channels, then scales and shifts each channel: group normalisation with one group (Wu & He 2018). An image's result
/// does not depend on its batch.
public final class ImageNorm: Layer {
  private let gain: Parameter
  private let bias: Parameter
  private let epsilon: Float = 1e-5
  private let rectified: Int32

  /// Where the larger of a value and 0 is taken, in the same pass.
  public struct Rectified: OptionSet, Sendable {
    public let rawValue: Int32
    public static let input = Rectified(rawValue: VM_RECTIFIED_INPUT)
    public static let output = Rectified(rawValue: VM_RECTIFIED_OUTPUT)
    public init(rawValue: Int32) { self.rawValue = rawValue }
  }

  public init(_ name: String, _ channels: Int, rectified: Rectified = []) {
    self.rectified = rectified.rawValue
    gain = .vector("\(name).weight", channels, 1)
    bias = .vector("\(name).bias", channels, 0)
  }

  public var parameters: [Parameter] { [gain, bias] }

  public func forward(_ x: Tensor, _ context: Context) -> Tensor {
    precondition(x.columns == gain.count, "\(gain.name): input \(x.shape)")
    let images = x.shape[0]
    let y = context.pool.tensor(x.shape)
    let statistics = context.pool.tensor([images, 2])
    vm_image_norm(
      x.data, gain.value, bias.value, y.data, statistics.data, images, x.rows / max(images, 1),
      x.columns, epsilon, rectified)
    context.save(x)
    context.save(statistics)
    return y
  }

  public func backward(_ dy: Tensor, _ context: Context) -> Tensor {
    let statistics = context.restore()
    let x = context.restore()
    let images = x.shape[0]
    let dx = context.pool.tensor(x.shape)
    vm_image_norm_backward(
      x.data, gain.value, bias.value, statistics.data, dy.data, dx.data, gain.gradient,
      bias.gradient, images, x.rows / max(images, 1), x.columns, rectified)
    return dx
  }
}
