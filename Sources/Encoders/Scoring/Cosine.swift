/// The cosine of image and caption, times 1 / tau: what a CLIP-score threshold goes by. It knows nothing of captions
/// that fit everything and images that everything fits.
struct Cosine: PairScorer {
  let bank: EmbeddedBank

  init(_ bank: EmbeddedBank) { self.bank = bank }

  func batch(
    images: [Float], texts: [Float], of pairs: [(hash: ContentHash, caption: String)]
  ) -> any BatchScores {
    Batch(bank: bank, images: images, texts: texts)
  }

  private struct Batch: BatchScores {
    let bank: EmbeddedBank
    let images: [Float]
    let texts: [Float]

    func observed(_ i: Int) -> Float { bank.logit(images, i, texts, i) }

    func repaired(_ i: Int, with r: Int) -> Float { bank.logit(images, i, bank.texts, r) }
  }
}
