import Layers

/// Images to unit rows.
protocol ImageEncoder: AnyObject {
  var parameters: [Parameter] { get }
  /// What no step changes: learnt beforehand, stored like the parameters.
  var frozen: [Parameter] { get }
  /// `[images, side, side, 3]`, normalised, to unit rows `[images, dimension]`.
  func forward(_ x: Tensor, _ context: Context) -> Tensor
  func backward(_ dy: Tensor, _ context: Context)
}

extension ImageEncoder {
  var frozen: [Parameter] { [] }
}

func makeImageEncoder(
  _ configuration: ImageConfiguration, dimension: Int, _ random: inout SeededRandom
) -> any ImageEncoder {
  switch configuration.kind {
  case .convolutional: ConvolutionalImageEncoder(configuration, dimension: dimension, &random)
  case .transformer: TransformerImageEncoder(configuration, dimension: dimension, &random)
  case .dictionary: DictionaryImageEncoder(configuration, dimension: dimension, &random)
  }
}

/// CLIP's vision transformer (Radford et al. 2021): patches and a class row, normalised, through the blocks; the class
/// row is normalised and projected.
final class TransformerImageEncoder: ImageEncoder {
  private let patches: PatchEmbedding
  private let normBefore: LayerNorm
  private let transformer: Transformer
  private let classRow = PackedEnd(last: false)
  private let head: Sequential

  init(_ configuration: ImageConfiguration, dimension: Int, _ random: inout SeededRandom) {
    let width = configuration.width
    patches = PatchEmbedding(
      "image", side: configuration.side, patch: configuration.patch, width: width, &random)
    normBefore = LayerNorm("image.ln_pre", width, epsilon: configuration.epsilon)
    transformer = Transformer("image.block", configuration.transformer, &random)
    head = Sequential([
      LayerNorm("image.ln_post", width, epsilon: configuration.epsilon),
      Linear("image.projection", inputs: width, outputs: dimension, bias: false, &random),
      UnitLength(),
    ])
  }

  var parameters: [Parameter] {
    patches.parameters + normBefore.parameters + transformer.parameters + head.parameters
  }

  func forward(_ x: Tensor, _ context: Context) -> Tensor {
    let packing = Packing(items: x.shape[0], of: patches.rows)
    let rows = normBefore.forward(patches.forward(x, context), context)
    let encoded = transformer.forward(rows, packing, context)
    return head.forward(classRow.forward(encoded, packing, context), context)
  }

  func backward(_ dy: Tensor, _ context: Context) {
    let packing = Packing(items: dy.shape[0], of: patches.rows)
    let slope = classRow.backward(head.backward(dy, context), packing, context)
    let rows = transformer.backward(slope, packing, context)
    patches.backward(normBefore.backward(rows, context), context)
  }
}
