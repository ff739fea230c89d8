import Layers
import TensorFiles
import Text

/// An image encoder and a text encoder with a shared embedding space: one member of the ensemble, in training or in
/// use. One thread only.
public final class DualEncoder {
  public let configuration: MemberConfiguration
  /// Cuts the captions that `encodeTexts` takes.
  public let tokenizer: HashedTokenizer
  /// Holds the learnable temperature.
  public let loss = ContrastiveLoss()
  private let image: ConvolutionalImageEncoder
  private let text: any TextEncoder

  /// Random weights drawn from `seed`.
  public init(_ configuration: MemberConfiguration, seed: UInt64) {
    var random = SeededRandom(seed: seed)
    self.configuration = configuration
    tokenizer = HashedTokenizer(
      buckets: configuration.text.buckets, maxTokens: configuration.text.maxTokens)
    image = ConvolutionalImageEncoder(
      configuration.image, dimension: configuration.dimension, &random)
    text = makeTextEncoder(configuration.text, dimension: configuration.dimension, &random)
  }

  /// Given weights; no random numbers are drawn.
  ///
  /// - Parameter weights: every parameter, with its shape (`Ensemble.init(directory:)` has checked).
  convenience init(_ configuration: MemberConfiguration, weights: [NamedTensor]) {
    self.init(configuration, seed: 0)
    let byName = Dictionary(weights.map { ($0.name, $0) }) { a, _ in a }
    for parameter in parameters {
      guard let tensor = byName[parameter.name] else {
        preconditionFailure("no weights for \(parameter.name)")
      }
      parameter.values = tensor.values
    }
  }

  /// The name and shape of every parameter of a configuration that `check` accepts; allocates none of them.
  static func shapes(_ configuration: MemberConfiguration) -> [(name: String, shape: [Int])] {
    DualEncoder(configuration, seed: 0).parameters.map { ($0.name, $0.shape) }
  }

  /// A copy of every parameter.
  public var weights: [NamedTensor] {
    parameters.map { NamedTensor(name: $0.name, shape: $0.shape, values: $0.values) }
  }

  public var parameters: [Parameter] {
    image.parameters + text.parameters + [loss.logScale]
  }

  /// `[images, side, side, 3]` in -1...1 to unit rows `[images, dimension]`.
  public func encodeImages(_ images: Tensor, _ context: Context) -> Tensor {
    image.forward(images, context)
  }

  /// - Returns: unit rows `[captions.count, dimension]`
  public func encodeTexts(_ captions: [CaptionTokens], _ context: Context) -> Tensor {
    text.forward(captions, context)
  }

  /// One training step's forward and backward over a batch; gradients are added to the parameters'.
  ///
  /// The images come in pieces `[images, side, side, 3]` that stay in cache from layer to layer; the texts and the
  /// loss see the whole batch.
  /// - Parameters:
  ///   - pieces: one tensor for each of `imageContexts`, together as many images as there are captions.
  ///   - groups: for each pair a number; those with an equal caption share it.
  /// - Returns: the contrastive loss, in nats.
  public func accumulateGradients(
    images pieces: [Tensor], captions: [CaptionTokens], groups: [Int32], imageContexts: [Context],
    textContext: Context
  ) -> Float {
    let dimension = configuration.dimension
    let v = textContext.pool.tensor([captions.count, dimension])
    var row = 0
    for (piece, context) in zip(pieces, imageContexts) {
      let rows = encodeImages(piece, context)
      (v.data + row * dimension).update(from: rows.data, count: rows.count)
      row += rows.rows
    }
    precondition(row == captions.count, "\(row) images for \(captions.count) captions")
    let t = encodeTexts(captions, textContext)
    let (loss, dv, dt) = loss(images: v, texts: t, groups: groups, textContext)
    text.backward(dt, textContext)
    row = 0
    for (piece, context) in zip(pieces, imageContexts) {
      let slope = context.pool.tensor([piece.shape[0], dimension])
      slope.data.update(from: dv.data + row * dimension, count: slope.count)
      image.backward(slope, context)
      row += piece.shape[0]
    }
    return loss
  }

  /// Takes the slopes of the loss by what the last `encodeImages` with this context gave; adds to the gradients.
  public func backwardImages(_ slopes: Tensor, _ context: Context) {
    image.backward(slopes, context)
  }

  /// Takes the slopes of the loss by what the last `encodeTexts` with this context gave; adds to the gradients.
  public func backwardTexts(_ slopes: Tensor, _ context: Context) {
    text.backward(slopes, context)
  }

  /// An encoder with the same weights, now and later, and gradients of its own: for another thread of the same training.
  public func replica() -> DualEncoder {
    let replica = DualEncoder(configuration, seed: 0)
    for (own, shared) in zip(replica.parameters, parameters) { own.shareWeights(of: shared) }
    return replica
  }
}

/// 8-bit RGB to the encoders' range -1...1, one float for each byte.
public func normalise(
  _ pixels: UnsafeBufferPointer<UInt8>, into target: UnsafeMutablePointer<Float>
) {
  for i in 0..<pixels.count { target[i] = Float(pixels[i]) * (1 / 127.5) - 1 }
}
