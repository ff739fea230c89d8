import Layers

/// The kind of a text encoder.
public enum TextKind: String, Sendable, Codable, CaseIterable {
  /// All words and n-grams of the caption in one bag: no word order, very fast.
  case bag
  /// A transformer over the tokens.
  case transformer
}

/// What a text transformer's tokens are, and what of its rows becomes the embedding.
public enum TokenKind: String, Sendable, Codable, CaseIterable {
  /// Words and their character n-grams, hashed; the mean over the words.
  case words
  /// CLIP's byte pairs; the row of the end token, which sees all others (causal).
  case bytePairs
  /// BERT's word pieces; the row of [CLS].
  case wordPieces
}

/// A text encoder.
public struct TextConfiguration: Sendable, Equatable {
  public var kind: TextKind
  /// Only `words` for a bag.
  public var tokens: TokenKind
  /// Rows that word and n-gram ids are hashed into (`words`).
  public var buckets: Int
  /// The file with the tokenizer, or the folder with its files (not for `words`).
  public var vocabulary: String?
  /// Rows of the token embedding (not for `words`).
  public var vocabularySize: Int
  /// Columns of the embeddings and of each block.
  public var width: Int
  /// Tokens of a caption beyond this many are not read.
  public var maxTokens: Int

  /// Transformer blocks (not used by `bag`, as all that follow).
  public var depth: Int
  /// Attention heads, which divide the width.
  public var heads: Int
  /// Columns within the MLP; nil is four times the width.
  public var hidden: Int?
  /// A token sees only those before it.
  public var causal: Bool
  public var activation: Activation
  /// Of the normalisations.
  public var epsilon: Float

  public init(
    kind: TextKind = .bag, tokens: TokenKind = .words, buckets: Int = 16384,
    vocabulary: String? = nil, vocabularySize: Int = 49408, width: Int? = nil, depth: Int = 2,
    heads: Int = 4, maxTokens: Int? = nil
  ) {
    self.kind = kind
    self.tokens = tokens
    self.buckets = buckets
    self.vocabulary = vocabulary
    self.vocabularySize = vocabularySize
    self.width = width ?? (kind == .bag ? 256 : 128)
    self.maxTokens = maxTokens ?? (tokens == .words ? 32 : 77)
    self.depth = depth
    self.heads = heads
    causal = tokens == .bytePairs
    activation = tokens == .wordPieces ? .gelu : .quickGELU
    epsilon = tokens == .wordPieces ? 1e-12 : 1e-5
  }

  var transformer: TransformerShape {
    var shape = TransformerShape(width: width, depth: depth, heads: heads, hidden: hidden)
    shape.activation = activation
    shape.norm = tokens == .wordPieces ? .post : .pre
    shape.causal = causal
    shape.epsilon = epsilon
    return shape
  }
}

/// What is left out when it is read takes the default of its kind; what doesn't count for the kind, or
/// seldom differs from its default, is written only where it does.
extension TextConfiguration: Codable {
  enum CodingKeys: String, CodingKey {
    case kind, tokens, buckets, vocabulary, vocabularySize, width, maxTokens, depth, heads
    case hidden, causal, activation, epsilon
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      kind: try values.decodeIfPresent(TextKind.self, forKey: .kind) ?? .bag,
      tokens: try values.decodeIfPresent(TokenKind.self, forKey: .tokens) ?? .words)
    func read<T: Decodable>(_ key: CodingKeys, _ value: inout T) throws {
      value = try values.decodeIfPresent(T.self, forKey: key) ?? value
    }
    try read(.buckets, &buckets)
    vocabulary = try values.decodeIfPresent(String.self, forKey: .vocabulary)
    try read(.vocabularySize, &vocabularySize)
    try read(.width, &width)
    try read(.maxTokens, &maxTokens)
    try read(.depth, &depth)
    try read(.heads, &heads)
    hidden = try values.decodeIfPresent(Int.self, forKey: .hidden)
    try read(.causal, &causal)
    try read(.activation, &activation)
    try read(.epsilon, &epsilon)
  }

  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(kind, forKey: .kind)
    if tokens == .words {
      try values.encode(buckets, forKey: .buckets)
    } else {
      try values.encode(tokens, forKey: .tokens)
      try values.encodeIfPresent(vocabulary, forKey: .vocabulary)
      try values.encode(vocabularySize, forKey: .vocabularySize)
    }
    try values.encode(width, forKey: .width)
    try values.encode(maxTokens, forKey: .maxTokens)
    guard kind == .transformer else { return }
    try values.encode(depth, forKey: .depth)
    try values.encode(heads, forKey: .heads)
    try values.encodeIfPresent(hidden, forKey: .hidden)
    let usual = TextConfiguration(kind: kind, tokens: tokens)
    try values.encode(causal, unless: usual.causal, forKey: .causal)
    try values.encode(activation, unless: usual.activation, forKey: .activation)
    try values.encode(epsilon, unless: usual.epsilon, forKey: .epsilon)
  }
}
