import Layers
import Text
import VectorMath

/// Captions to unit rows.
protocol TextEncoder: AnyObject {
  var parameters: [Parameter] { get }
  /// - Returns: unit rows `[captions.count, dimension]`
  func forward(_ captions: [CaptionTokens], _ context: Context) -> Tensor
  func backward(_ dy: Tensor, _ context: Context)
}

/// A text encoder with a row for every token: what masked tokens are guessed from.
protocol TokenRowsEncoder: TextEncoder {
  /// The token embedding, `[vocabulary, width]`.
  var table: Parameter { get }
  /// - Returns: packed `[rows, width]`, the tokens of one caption after those of another.
  func forwardRows(_ captions: [CaptionTokens], _ context: Context) -> Tensor
  func backwardRows(_ dy: Tensor, _ context: Context)
}

func makeTextEncoder(
  _ configuration: TextConfiguration, dimension: Int, _ random: inout SeededRandom
) -> any TextEncoder {
  switch configuration.kind {
  case .bag: BagTextEncoder(configuration, dimension: dimension, &random)
  case .transformer: TransformerTextEncoder(configuration, dimension: dimension, &random)
  }
}

/// All words and character n-grams of a caption in one bag, then a residual MLP.
final class BagTextEncoder: TextEncoder {
  private let bag: EmbeddingBag
  private let head: Sequential

  init(_ configuration: TextConfiguration, dimension: Int, _ random: inout SeededRandom) {
    let width = configuration.width
    bag = EmbeddingBag("text.bag", rows: configuration.buckets, columns: width, &random)
    head = Sequential([
      LayerNorm("text.norm", width),
      Residual(
        Sequential([
          Linear("text.mlp.c_fc", inputs: width, outputs: 2 * width, gain: 2, &random), ReLU(),
          Linear("text.mlp.c_proj", inputs: 2 * width, outputs: width, &random),
        ])),
      LayerNorm("text.norm_out", width),
      Linear("text.projection", inputs: width, outputs: dimension, &random), UnitLength(),
    ])
  }

  var parameters: [Parameter] { bag.parameters + head.parameters }

  func forward(_ captions: [CaptionTokens], _ context: Context) -> Tensor {
    var ids: [Int32] = []
    var ends: [Int32] = []
    for caption in captions {
      ids += caption.ids
      ends.append(Int32(ids.count))
    }
    return head.forward(bag.forward(ids: ids, ends: ends, context), context)
  }

  func backward(_ dy: Tensor, _ context: Context) {
    bag.backward(head.backward(dy, context), context)
  }
}

/// A transformer over a caption's tokens (``TokenKind``), packed.
///
/// A word enters as the bag of its own id and its character n-grams, so that rare and unseen words have a meaning too; a
/// token of a vocabulary is a bag of one.
final class TransformerTextEncoder: TokenRowsEncoder {
  private let tokens: EmbeddingBag
  private let positions: EmbeddingBag
  /// BERT's.
  private let embeddingNorm: LayerNorm?
  private let transformer: Transformer
  private let pooling: any PackedPooling
  private let head: Sequential
  private let maxTokens: Int

  init(_ configuration: TextConfiguration, dimension: Int, _ random: inout SeededRandom) {
    let (width, epsilon) = (configuration.width, configuration.epsilon)
    let isWords = configuration.tokens == .words
    maxTokens = configuration.maxTokens
    tokens = EmbeddingBag(
      isWords ? "text.words" : "text.tokens",
      rows: isWords ? configuration.buckets : configuration.vocabularySize, columns: width,
      deviation: isWords ? 0.3 : 0.02, &random)
    positions = EmbeddingBag(
      "text.positions", rows: maxTokens, columns: width, deviation: 0.02, &random)
    embeddingNorm =
      configuration.tokens == .wordPieces
      ? LayerNorm("text.embeddings.norm", width, epsilon: epsilon) : nil
    transformer = Transformer("text.block", configuration.transformer, &random)
    pooling =
      switch configuration.tokens {
      case .words: PackedMean()
      case .bytePairs: PackedEnd(last: true)
      case .wordPieces: PackedEnd(last: false)
      }
    var head: [any Layer] = []
    if configuration.transformer.norm == .pre {
      head.append(LayerNorm("text.norm_out", width, epsilon: epsilon))
    }
    head += [
      Linear("text.projection", inputs: width, outputs: dimension, bias: isWords, &random),
      UnitLength(),
    ]
    self.head = Sequential(head)
  }

  var parameters: [Parameter] {
    tokens.parameters + positions.parameters + (embeddingNorm?.parameters ?? [])
      + transformer.parameters + head.parameters
  }

  var table: Parameter { tokens.table }

  func forward(_ captions: [CaptionTokens], _ context: Context) -> Tensor {
    let y = forwardRows(captions, context)
    let pooled = pooling.forward(y, packing(of: captions), context)
    return head.forward(pooled, context)
  }

  func backward(_ dy: Tensor, _ context: Context) {
    let slope = head.backward(dy, context)
    let packing = Packing(lengths: context.restoreIntegers().map(Int.init))
    backwardRows(pooling.backward(slope, packing, context), packing, context)
  }

  func forwardRows(_ captions: [CaptionTokens], _ context: Context) -> Tensor {
    let packing = packing(of: captions)
    let y = transformer.forward(rows(captions, packing, context), packing, context)
    context.save(packing.lengths.map(Int32.init))
    return y
  }

  func backwardRows(_ dy: Tensor, _ context: Context) {
    backwardRows(dy, Packing(lengths: context.restoreIntegers().map(Int.init)), context)
  }

  private func backwardRows(_ dy: Tensor, _ packing: Packing, _ context: Context) {
    var slope = transformer.backward(dy, packing, context)
    if let embeddingNorm { slope = embeddingNorm.backward(slope, context) }
    positions.backward(slope, context)
    tokens.backward(slope, context)
  }

  private func packing(of captions: [CaptionTokens]) -> Packing {
    Packing(lengths: captions.map { min($0.count, maxTokens) })
  }

  /// Tokens and their places, packed `[rows, width]`.
  private func rows(
    _ captions: [CaptionTokens], _ packing: Packing, _ context: Context
  ) -> Tensor {
    var (ids, ends, places) = ([Int32](), [Int32](), [Int32]())
    for (caption, length) in zip(captions, packing.lengths) where length > 0 {
      let before = Int32(ids.count)
      ids += caption.ids[..<Int(caption.ends[length - 1])]
      ends += caption.ends[..<length].lazy.map { $0 + before }
      places += 0..<Int32(length)
    }
    let x = tokens.forward(ids: ids, ends: ends, context)
    let placed = positions.forward(
      ids: places, ends: places.indices.map { Int32($0 + 1) }, context)
    vm_add(placed.data, x.data, x.count)
    return embeddingNorm?.forward(x, context) ?? x
  }
}
