import Layers

/// A small residual network: each stage halves the side with a strided convolution and refines with pre-norm residual
/// convolutions; then average pooling and a projection. ImageNorm instead of BatchNorm, so that an image's embedding
/// does not depend on its batch.
final class ConvolutionalImageEncoder: ImageEncoder {
  private let body: Sequential

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
    layers += [
      ReLU(), AveragePool(), LayerNorm("image.norm", channels),
      Linear("image.projection", inputs: channels, outputs: dimension, &random), UnitLength(),
    ]
    body = Sequential(layers)
  }

  var parameters: [Parameter] { body.parameters }

  /// `[images, side, side, 3]` in -1...1 to unit rows `[images, dimension]`.
  func forward(_ x: Tensor, _ context: Context) -> Tensor { body.forward(x, context) }

  func backward(_ dy: Tensor, _ context: Context) { _ = body.backward(dy, context) }
}
