import Encoders
import Layers
import Text

/// Texts to learn a language from, cut into tokens. They may lie in a file.
public protocol TokenizedTexts: Sendable {
  var count: Int { get }
  /// The ids of a text without start and end, at least one.
  func tokens(_ index: Int) -> [Int32]
}

/// Masked language modelling (Devlin et al. 2019; EfficientCLIP, section 3).
public struct MaskedLanguageConfiguration: Sendable, Codable, Equatable {
  /// What the loss of the masked tokens counts beside the contrastive one's 1; the sum is divided by both.
  public var weight: Float = 1
  /// Unpaired texts in a step.
  public var batchSize = 128
  /// The share of the tokens that are guessed.
  public var share: Float = 0.15
  /// Of those, the share that the mask stands for; a random token stands for the others.
  public var masked: Float = 0.8

  public init() {}
}

/// The tokens that mean something to the masking.
public struct MaskingVocabulary: Sendable, Equatable {
  public var start: Int32
  public var end: Int32
  public var mask: Int32
  /// Rows of the token embedding.
  public var size: Int

  /// - Returns: nil for a vocabulary without a mask, or without any token that neither frames nor masks.
  public init?(_ tokenizer: some Tokenizer) {
    guard let mask = tokenizer.maskID else { return nil }
    let special: Set = [tokenizer.startID, tokenizer.endID, mask]
    guard tokenizer.vocabularySize > special.count else { return nil }
    self.init(
      start: tokenizer.startID, end: tokenizer.endID, mask: mask, size: tokenizer.vocabularySize)
  }

  public init(start: Int32, end: Int32, mask: Int32, size: Int) {
    (self.start, self.end, self.mask, self.size) = (start, end, mask, size)
  }
}

/// Masked texts of a lane.
struct MaskedTexts: Sendable {
  var texts: [CaptionTokens] = []
  /// The guessed rows, counted through all texts.
  var rows: [Int32] = []
  /// What stood there.
  var targets: [Int32] = []
}

struct Masking: Sendable {
  let configuration: MaskedLanguageConfiguration
  let vocabulary: MaskingVocabulary
  /// Tokens of a text, start and end included.
  let maxTokens: Int

  /// Adds a text with some of its tokens masked, at least one. Of a text that is too long, a window drawn at random.
  func add(_ tokens: [Int32], to batch: inout MaskedTexts, _ random: inout SeededRandom) {
    let length = min(tokens.count, maxTokens - 2)
    let first = random.below(tokens.count - length + 1)
    var ids = [vocabulary.start] + tokens[first..<(first + length)] + [vocabulary.end]
    let before = Int32(batch.texts.reduce(0) { $0 + $1.count })
    var chosen = (1...length).filter { _ in random.uniform() < configuration.share }
    if chosen.isEmpty { chosen = [1 + random.below(length)] }
    for place in chosen {
      batch.rows.append(before + Int32(place))
      batch.targets.append(ids[place])
      ids[place] =
        random.uniform() < configuration.masked ? vocabulary.mask : anyToken(&random)
    }
    batch.texts.append(CaptionTokens(ids: ids))
  }

  /// Any token but those that frame or mask.
  private func anyToken(_ random: inout SeededRandom) -> Int32 {
    while true {
      let id = Int32(random.below(vocabulary.size))
      if ![vocabulary.start, vocabulary.end, vocabulary.mask].contains(id) { return id }
    }
  }
}

/// What masked language modelling learns from.
struct MaskedLearning: Sendable {
  let texts: any TokenizedTexts
  let masking: Masking

  /// A step's texts, drawn with replacement and masked, shared out among the lanes. They depend on seed and step only, so
  /// nothing of them has to be kept.
  func batch(seed: UInt64, step: Int, lanes: Int) -> [MaskedTexts] {
    var random = SeededRandom(seed, .passages, step)
    let size = masking.configuration.batchSize
    var result = [MaskedTexts](repeating: MaskedTexts(), count: lanes)
    for i in 0..<size {
      let tokens = texts.tokens(random.below(texts.count))
      masking.add(tokens, to: &result[i * lanes / size], &random)
    }
    return result
  }
}
