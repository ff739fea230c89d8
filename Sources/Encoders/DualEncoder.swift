import Layers
import TensorFiles
import Text

/// An image encoder and a text encoder with a shared embedding space: one member of the ensemble, in training or in
/// use. One thread only.
public final class DualEncoder {
  public let configuration: MemberConfiguration
  /// Holds the learnable temperature.
  public let loss = ContrastiveLoss()
  private let image: any ImageEncoder
  private let text: any TextEncoder

  private let ownTokenizer: (any CaptionTokenizer)?

  /// Random weights drawn from `seed`.
  ///
  /// - Parameters:
  ///   - tokenizer: where the tokens are of a vocabulary; words need none.
  ///   - stem: the weights of a dictionary's stem (``DictionaryStem/tensors``); nil leaves it random.
  public init(
    _ configuration: MemberConfiguration, seed: UInt64, tokenizer: (any CaptionTokenizer)? = nil,
    stem: [NamedTensor]? = nil
  ) {
    var random = SeededRandom(seed: seed)
    self.configuration = configuration
    let text = configuration.text
    ownTokenizer =
      tokenizer
      ?? (text.tokens == .words
        ? HashedTokenizer(buckets: text.buckets, maxTokens: text.maxTokens) : nil)
    image = makeImageEncoder(configuration.image, dimension: configuration.dimension, &random)
    self.text = makeTextEncoder(text, dimension: configuration.dimension, &random)
    if let stem { dictionary?.adopt(stem) }
  }

  /// Cuts the captions that `encodeTexts` takes.
  public var tokenizer: any CaptionTokenizer {
    guard let ownTokenizer else {
      preconditionFailure("member \(configuration.name) was made without its tokenizer")
    }
    return ownTokenizer
  }

  /// The weights of a file, which stay there: for a model that only runs forward. No random numbers are drawn.
  ///
  /// - Parameter weights: every parameter, with its shape.
  /// - Throws: `EnsembleError` where one is missing, of another shape or no finite number; `TensorFileError`.
  convenience init(
    _ configuration: MemberConfiguration, weights: MappedSafeTensors,
    tokenizer: (any CaptionTokenizer)?
  ) throws {
    self.init(configuration, seed: 0, tokenizer: tokenizer)
    for parameter in parameters + frozen {
      let values = try weights.finite(parameter.name, shape: parameter.shape)
      if let base = values.baseAddress { parameter.borrow(base, from: weights) }
    }
  }

  /// Another one with these weights, as they are now.
  func copy() -> DualEncoder {
    let copy = DualEncoder(configuration, seed: 0, tokenizer: ownTokenizer)
    for (own, source) in zip(copy.parameters + copy.frozen, parameters + frozen) {
      own.fill { $0.update(from: source.value, count: source.count) }
    }
    return copy
  }

  /// A copy of every parameter, trained or frozen.
  public var weights: [NamedTensor] { (parameters + frozen).map(\.tensor) }

  /// What training changes.
  public var parameters: [Parameter] {
    image.parameters + text.parameters + [loss.logScale]
  }

  /// The stem of a dictionary.
  var dictionary: DictionaryStem? { (image as? DictionaryImageEncoder)?.stem }

  /// What no training step changes: a dictionary's stem.
  public var frozen: [Parameter] { image.frozen }

  /// `[images, side, side, 3]`, normalised, to unit rows `[images, dimension]`; for a dictionary also
  /// `[images, features]`, what its stem makes of the images.
  public func encodeImages(_ images: Tensor, _ context: Context) -> Tensor {
    image.forward(images, context)
  }

  /// - Returns: unit rows `[captions.count, dimension]`
  public func encodeTexts(_ captions: [CaptionTokens], _ context: Context) -> Tensor {
    text.forward(captions, context)
  }

  /// Takes the slopes of the loss by what the last `encodeImages` with this context gave; adds to the gradients.
  public func backwardImages(_ slopes: Tensor, _ context: Context) {
    image.backward(slopes, context)
  }

  /// Takes the slopes of the loss by what the last `encodeTexts` with this context gave; adds to the gradients.
  public func backwardTexts(_ slopes: Tensor, _ context: Context) {
    text.backward(slopes, context)
  }

  /// Whether masked tokens can be guessed: its text encoder is a transformer over a vocabulary.
  public var hasTokenRows: Bool { configuration.text.tokens != .words && text is TokenRowsEncoder }

  /// What a ``MaskedLanguageHead`` guesses from, one row a token.
  var tokenRows: (any TokenRowsEncoder)? { text as? any TokenRowsEncoder }

  /// An encoder with the same weights, now and later, and gradients of its own: for another thread of the same training.
  public func replica() -> DualEncoder {
    let replica = DualEncoder(configuration, seed: 0, tokenizer: ownTokenizer)
    for (own, shared) in zip(replica.parameters + replica.frozen, parameters + frozen) {
      own.shareWeights(of: shared)
    }
    return replica
  }
}

extension Parameter {
  /// A copy of the weights.
  var tensor: NamedTensor { NamedTensor(name: name, shape: shape, values: values) }
}

extension ImageConfiguration {
  /// 8-bit RGB to what the encoder sees, one float for each byte: by default -1...1.
  public func normalise(
    _ pixels: UnsafeBufferPointer<UInt8>, into target: UnsafeMutablePointer<Float>
  ) {
    let scale = deviation.map { 1 / (255 * $0) }
    let shift = zip(mean, deviation).map { $0 / $1 }
    let (r, g, b) = (scale[0], scale[1], scale[2])
    let (x, y, z) = (shift[0], shift[1], shift[2])
    for i in Swift.stride(from: 0, to: pixels.count - 2, by: 3) {
      target[i] = Float(pixels[i]) * r - x
      target[i + 1] = Float(pixels[i + 1]) * g - y
      target[i + 2] = Float(pixels[i + 2]) * b - z
    }
  }
}

extension MappedSafeTensors {
  /// A tensor of this shape, all of it finite.
  ///
  /// - Throws: `EnsembleError`, `TensorFileError`.
  func finite(_ name: String, shape: [Int]) throws -> UnsafeBufferPointer<Float> {
    guard let found = self.shape(of: name) else {
      throw EnsembleError.missingTensor(path: path, name: name)
    }
    guard found == shape else {
      throw EnsembleError.wrongShape(path: path, name: name, found: found, expected: shape)
    }
    let values = try floats(name)
    guard values.allSatisfy(\.isFinite) else {
      throw EnsembleError.notFinite(path: path, name: name)
    }
    return values
  }
}
