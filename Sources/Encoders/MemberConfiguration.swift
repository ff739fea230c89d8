/// What one kind of member is made of.
public struct MemberConfiguration: Sendable, Codable, Equatable {
  /// A short name, unique in the ensemble; scores are reported under it.
  public var name: String
  public var image: ImageConfiguration
  public var text: TextConfiguration
  /// The dimension of the shared embedding space.
  public var dimension: Int

  public init(
    name: String, image: ImageConfiguration, text: TextConfiguration, dimension: Int = 128
  ) {
    self.name = name
    self.image = image
    self.text = text
    self.dimension = dimension
  }
}

/// A convolutional image encoder.
public struct ImageConfiguration: Sendable, Codable, Equatable {
  /// Channels of each stage; a stage halves the side.
  public var widths: [Int]
  /// Residual convolutions in each stage.
  public var blocks: [Int]

  public init(widths: [Int], blocks: [Int]) {
    self.widths = widths
    self.blocks = blocks
  }
}

/// The kind of a text encoder.
public enum TextKind: String, Sendable, Codable {
  /// All words and n-grams of the caption in one bag: no word order, very fast.
  case bag
  /// A transformer over the words.
  case transformer
}

/// A text encoder over hashed words and character n-grams.
public struct TextConfiguration: Sendable, Codable, Equatable {
  public var kind: TextKind
  /// Rows that word and n-gram ids are hashed into.
  public var buckets: Int
  /// Columns of the embeddings and of each block.
  public var width: Int
  /// Transformer blocks (not used by `bag`).
  public var depth: Int
  /// Attention heads (not used by `bag`).
  public var heads: Int
  /// Words of a caption beyond this many are not read.
  public var maxTokens: Int

  public init(
    kind: TextKind, buckets: Int = 16384, width: Int = 128, depth: Int = 2, heads: Int = 4,
    maxTokens: Int = 32
  ) {
    self.kind = kind
    self.buckets = buckets
    self.width = width
    self.depth = depth
    self.heads = heads
    self.maxTokens = maxTokens
  }
}
