import Foundation
import Text

/// The tokenizer of a text encoder: hashed words, or the one whose files lie at `vocabulary`.
///
/// - Throws: `PretrainedError`, `TokenizerError`.
public func makeTokenizer(_ configuration: TextConfiguration) throws -> any CaptionTokenizer {
  switch configuration.tokens {
  case .words:
    return HashedTokenizer(buckets: configuration.buckets, maxTokens: configuration.maxTokens)
  case .bytePairs, .wordPieces:
    throw PretrainedError.noTokenizer(folder: configuration.vocabulary ?? "", wanted: "")
  }
}
