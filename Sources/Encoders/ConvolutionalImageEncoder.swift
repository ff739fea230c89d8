import Layers

/// A small residual network: each stage halves the side with a strided convolution and refines with pre-norm residual
/// convolutions; then average pooling and a projection. ImageNorm instead of BatchNorm, so that an image's embedding
/// does not depend on its batch.
final class ConvolutionalImageEncoder: ImageEncoder {
  private let body: Sequential
  /// Images that go through all stages but the last at once when nothing is kept for a backward pass: with the default
  /// configuration 12 of Winograd's tiles in the last of them, the positions that a tile of the products spans. The last
  /// stage, where an image is one such tile, takes all images at once.
  private static let group = 3

  init(_ configuration: ImageConfiguration, dimension: Int, _ random: inout SeededRandom) {
    var stages: [[any Layer]] = []
    var channels = 3
    for (stage, width) in configuration.widths.enumerated() {
      let name = "image.stage\(stage)"
      var layers: [any Layer] = []
      if stage > 0 { layers.append(ImageNorm("\(name).norm", channels, rectified: .input)) }
      layers.append(
        Convolution(
          "\(name).down", kernel: 3, stride: 2, inputs: channels, outputs: width,
          inputGradient: stage > 0, &random))
      for block in 0..<(stage < configuration.blocks.count ? configuration.blocks[stage] : 0) {
        layers.append(ResidualConvolution("\(name).block\(block)", channels: width, &random))
      }
      stages.append(layers)
      channels = width
    }
    let early = Sequential(stages.dropLast().flatMap { $0 })
    body = Sequential(
      [Grouped(early, size: Self.group)] + (stages.last ?? []) + [
        ReLU(), AveragePool(), LayerNorm("image.norm", channels),
        Linear("image.projection", inputs: channels, outputs: dimension, &random), UnitLength(),
      ])
  }

  var parameters: [Parameter] { body.parameters }

  /// `[images, side, side, 3]` in -1...1 to unit rows `[images, dimension]`.
  func forward(_ x: Tensor, _ context: Context) -> Tensor { body.forward(x, context) }

  func backward(_ dy: Tensor, _ context: Context) { _ = body.backward(dy, context) }
}
