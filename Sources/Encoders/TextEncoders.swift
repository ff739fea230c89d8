import Layers
import Text

/// Captions to unit rows.
protocol TextEncoder: AnyObject {
  var parameters: [Parameter] { get }
  /// - Returns: unit rows `[captions.count, dimension]`
  func forward(_ captions: [CaptionTokens], _ context: Context) -> Tensor
  func backward(_ dy: Tensor, _ context: Context)
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

/// A transformer over a caption's words; a word enters as the bag of its own id and its character n-grams, so that
/// rare and unseen words have a meaning too. The mean over the words is projected.
final class TransformerTextEncoder: TextEncoder {
  private let words: EmbeddingBag
  private let positions: EmbeddingBag
  private let blocks: [TransformerBlock]
  private let mean = MaskedMean()
  private let head: Sequential
  private let width: Int
  private let maxTokens: Int
  private var lengthOfBatch = 0

  init(_ configuration: TextConfiguration, dimension: Int, _ random: inout SeededRandom) {
    width = configuration.width
    maxTokens = configuration.maxTokens
    words = EmbeddingBag(
      "text.words", rows: configuration.buckets, columns: width, deviation: 0.3, &random)
    positions = EmbeddingBag(
      "text.positions", rows: maxTokens, columns: width, deviation: 0.02, &random)
    var blocks: [TransformerBlock] = []
    for block in 0..<configuration.depth {
      blocks.append(
        TransformerBlock(
          "text.block\(block)", columns: width, heads: configuration.heads, &random))
    }
    self.blocks = blocks
    head = Sequential([
      LayerNorm("text.norm_out", width),
      Linear("text.projection", inputs: width, outputs: dimension, &random), UnitLength(),
    ])
  }

  var parameters: [Parameter] {
    words.parameters + positions.parameters + blocks.flatMap(\.parameters) + head.parameters
  }

  func forward(_ captions: [CaptionTokens], _ context: Context) -> Tensor {
    let lengths = captions.map { Int32(min($0.count, maxTokens)) }
    // In steps of eight, so that batches share buffers.
    let longest = min(maxTokens, (max(1, Int(lengths.max() ?? 1)) + 7) / 8 * 8)
    var (ids, ends, places, placeEnds) = ([Int32](), [Int32](), [Int32](), [Int32]())
    for (caption, length) in zip(captions, lengths) {
      for position in 0..<longest {
        if position < Int(length) {
          ids += caption.token(position)
          places.append(Int32(position))
        }
        ends.append(Int32(ids.count))
        placeEnds.append(Int32(places.count))
      }
    }
    let shape = [captions.count, longest, width]
    let embedded = words.forward(ids: ids, ends: ends, context)
    let placed = positions.forward(ids: places, ends: placeEnds, context)
    var x = context.pool.sum(embedded, placed, shape: shape)
    for block in blocks { x = block.forward(x, lengths: lengths, context) }
    lengthOfBatch = longest
    return head.forward(mean.forward(x, lengths: lengths, context), context)
  }

  func backward(_ dy: Tensor, _ context: Context) {
    var slope = mean.backward(head.backward(dy, context), positions: lengthOfBatch, context)
    for block in blocks.reversed() { slope = block.backward(slope, context) }
    positions.backward(slope, context)
    words.backward(slope, context)
  }
}
