import Layers
import Testing
import Text

@testable import Encoders

/// The whole of a member, both kinds, against finite differences of its training loss.
@Suite struct EncoderGradientTests {
  static func tiny(_ kind: TextKind) -> MemberConfiguration {
    MemberConfiguration(
      name: "tiny", image: ImageConfiguration(widths: [4, 6], blocks: [1, 1]),
      text: TextConfiguration(kind: kind, buckets: 32, width: 8, depth: 1, heads: 2, maxTokens: 4),
      dimension: 6)
  }

  /// CLIP's towers, and BERT's for the captions.
  static func tinyTransformers(_ tokens: TokenKind) -> MemberConfiguration {
    var image = ImageConfiguration(kind: .transformer)
    (image.side, image.patch, image.width, image.depth, image.heads) = (8, 4, 8, 1, 2)
    return MemberConfiguration(
      name: "tiny", image: image,
      text: TextConfiguration(
        kind: .transformer, tokens: tokens, vocabularySize: 12, width: 8, depth: 1, heads: 2,
        maxTokens: 5), dimension: 6)
  }

  static func tinyDictionary() -> MemberConfiguration {
    var member = tiny(.bag)
    member.image = ImageConfiguration(kind: .dictionary)
    (member.image.side, member.image.patch, member.image.atoms) = (8, 4, 5)
    member.image.hidden = 8
    return member
  }

  /// The length of the caption's words, and its start and end.
  struct LengthTokenizer: CaptionTokenizer {
    func tokens(of caption: String) -> CaptionTokens {
      let words = caption.split(separator: " ").map { Int32(min($0.count, 9)) }
      return CaptionTokens(ids: [10] + words.prefix(3) + [11])
    }
  }

  @Test(arguments: [
    tiny(.bag), tiny(.transformer), tinyTransformers(.bytePairs), tinyTransformers(.wordPieces),
    tinyDictionary(),
  ])
  func aStepsGradientsMatchFiniteDifferences(member: MemberConfiguration) {
    let tokenizer = member.text.tokens == .words ? nil : LengthTokenizer()
    let encoder = DualEncoder(member, seed: 5, tokenizer: tokenizer)
    // Small weights would leave gradients that drown in rounding.
    for parameter in encoder.parameters where parameter.name.hasPrefix("text.tokens") {
      for i in 0..<parameter.count { parameter.value[i] *= 20 }
    }
    let captions = ["red fish", "a green 树", "blue boat on the water", ""].map {
      encoder.tokenizer.tokens(of: $0)
    }
    var random = SeededRandom(seed: 9)
    let pool = BufferPool()
    let pieces = [3, 1].map { count in
      let piece = pool.tensor([count, 8, 8, 3])
      for i in 0..<piece.count { piece.data[i] = random.uniform(-1...1) }
      return piece
    }
    /// Forward and backward; the images in two pieces, as lanes and batches cut them.
    func loss() -> Double {
      let texts = Context(training: true)
      let t = encoder.encodeTexts(captions, texts)
      let contexts = pieces.map { _ in Context(training: true) }
      let rows = zip(pieces, contexts).map { encoder.encodeImages($0, $1) }
      let v = texts.pool.tensor([captions.count, 6], rows.flatMap(\.values))
      let (loss, dv, dt) = encoder.loss(images: v, texts: t, groups: [0, 1, 2, 3], texts)
      encoder.backwardTexts(dt, texts)
      var row = 0
      for (piece, context) in zip(rows, contexts) {
        let part = dv.values[(row * 6)..<((row + piece.rows) * 6)]
        encoder.backwardImages(context.pool.tensor(piece.shape, Array(part)), context)
        row += piece.rows
      }
      return Double(loss)
    }
    _ = loss()
    let gradients = encoder.parameters.map {
      Array(UnsafeBufferPointer(start: $0.gradient, count: $0.count))
    }
    for (parameter, gradient) in zip(encoder.parameters, gradients) {
      // The strongest coordinates of each parameter: the weak ones drown in float rounding.
      let strongest = gradient.indices.sorted { abs(gradient[$0]) > abs(gradient[$1]) }.prefix(4)
      let size = strongest.first.map { abs(Double(gradient[$0])) } ?? 0
      #expect(size > 1e-3, "\(parameter.name): the gradient is zero")
      for i in strongest {
        let original = parameter.value[i]
        let step: Float = 2e-3
        parameter.value[i] = original + step
        let above = loss()
        parameter.value[i] = original - step
        let below = loss()
        parameter.value[i] = original
        let numeric = (above - below) / Double(2 * step)
        #expect(
          abs(numeric - Double(gradient[i])) < 0.02 * size,
          "\(parameter.name)[\(i)]: backward gives \(gradient[i]), differences give \(numeric)")
      }
    }
  }
}
