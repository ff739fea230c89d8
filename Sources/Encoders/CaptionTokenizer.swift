import Text

/// Cuts captions into what a member's text encoder takes.
public protocol CaptionTokenizer: Sendable {
  /// At least one token.
  func tokens(of caption: String) -> CaptionTokens
}

extension HashedTokenizer: CaptionTokenizer {}

extension CaptionTokens {
  /// Tokens of a vocabulary: each a bag of one.
  public init(ids: [Int32]) { self.init(ids: ids, ends: ids.indices.map { Int32($0 + 1) }) }
}

/// A tokenizer of a vocabulary, with what is read of a caption.
struct VocabularyTokenizer: CaptionTokenizer {
  let tokenizer: any Tokenizer
  /// At most this many tokens, the start and the end included.
  let limit: Int
  /// Nothing after the first end token is read: a causal tower's embedding is that token's row (OpenCLIP and Hugging
  /// Face take the first one too).
  let stopsAtEnd: Bool

  func tokens(of caption: String) -> CaptionTokens {
    let ids = tokenizer.encode(caption, limit: limit)
    guard stopsAtEnd, let end = ids.firstIndex(of: tokenizer.endID) else {
      return CaptionTokens(ids: ids)
    }
    return CaptionTokens(ids: Array(ids[...end]))
  }
}
