/// How a member's embeddings become the score of a pair. Whatever the method, a score is compared with those of
/// re-paired captions, so that each brings its own noise model and cut.
public enum ScoringMethod: String, Sendable, Codable, CaseIterable {
  /// The logarithm of the pair's likelihood among the captions and images of the fixed bank: the default.
  case bankLikelihood = "bank-likelihood"
  /// The same among the pairs it is scored together with (s-CLIPLoss as published): a score depends on its neighbours.
  case inBatchLikelihood = "in-batch-likelihood"
  /// v.t, as CLIP-score thresholds have it.
  case cosine
  /// The probability that the image belongs to the caption's text cluster.
  case pseudoClass = "pseudo-class"

  func scorer(_ bank: EmbeddedBank) -> any PairScorer {
    switch self {
    case .bankLikelihood: BankLikelihood(bank)
    case .inBatchLikelihood: InBatchLikelihood(bank)
    case .cosine: Cosine(bank)
    case .pseudoClass: PseudoClass(bank)
    }
  }
}
