import Layers

/// A small residual network: each stage halves the side with a strided convolution and refines with pre-norm residual
/// convolutions; then average pooling and a projection. ImageNorm instead of BatchNorm, so that an image's embedding
/// does not depend on its batch.
final class ConvolutionalImageEncoder: ImageEncoder {
  private let body: Sequential
  private let head: Sequential
  private let channels: Int
  /// Images that go through the body at once when nothing is kept for a backward pass: few enough for their activations
  /// to stay in a core's cache, enough to use a filter that has been read.
  private static let group = 8

  init(_ configuration: ImageConfiguration, dimension: Int, _ random: inout SeededRandom) {
    var layers: [any Layer] = []
    var channels = 3
    for (stage, width) in configuration.widths.enumerated() {
      let name = "image.stage\(stage)"
      if stage > 0 { layers += [ImageNorm("\(name).norm", channels, rectified: .input)] }
      layers.append(
        Convolution(
          "\(name).down", kernel: 3, stride: 2, inputs: channels, outputs: width,
          inputGradient: stage > 0, &random))
      for block in 0..<(stage < configuration.blocks.count ? configuration.blocks[stage] : 0) {
        layers.append(ResidualConvolution("\(name).block\(block)", channels: width, &random))
      }
      channels = width
    }
    body = Sequential(layers + [ReLU(), AveragePool()])
    head = Sequential([
      LayerNorm("image.norm", channels),
      Linear("image.projection", inputs: channels, outputs: dimension, &random), UnitLength(),
    ])
    self.channels = channels
  }

  var parameters: [Parameter] { body.parameters + head.parameters }

  /// `[images, side, side, 3]` in -1...1 to unit rows `[images, dimension]`.
  func forward(_ x: Tensor, _ context: Context) -> Tensor {
    if context.training { return head.forward(body.forward(x, context), context) }
    let images = x.shape[0]
    let pooled = context.pool.tensor([images, channels])
    for first in stride(from: 0, to: images, by: Self.group) {
      let part = Tensor(x, items: first..<min(first + Self.group, images))
      let means = body.forward(part, context)
      (pooled.data + first * channels).update(from: means.data, count: means.count)
    }
    return head.forward(pooled, context)
  }

  func backward(_ dy: Tensor, _ context: Context) {
    _ = body.backward(head.backward(dy, context), context)
  }
}
