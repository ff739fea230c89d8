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
