import Glibc

/// A pair's score against the reference bank (the idea of s-CLIPLoss, Wang et al. 2024, made
/// independent of the batch):
///
///     l(i) = v_i.t_i/tau - 1/2 [ log(e^{v_i.t_i/tau} + sum_r e^{v_i.t_r/tau})
///                              + log(e^{v_i.t_i/tau} + sum_r e^{v_r.t_i/tau}) ]
///
/// Bank pairs with the same caption or the same image as either side are left out and the sums scaled up for it.
struct BankLikelihood: PairScorer {
  let bank: EmbeddedBank
  /// For each bank caption r, the logarithm of the sum over bank images r' of e^{v_r'.t_r/tau}.
  private let textSums: [Float]

  init(_ bank: EmbeddedBank) {
    self.bank = bank
    var sums = LogSums(
      bank.texts, bank.images, columns: bank.pairs.count, dimension: bank.dimension,
      scale: bank.scale)
    textSums = bank.pairs.indices.map { r in
      sums.logSum(
        row: r,
        without: Set(bank.byCaption[captionHash(bank.pairs[r].caption), default: []])
          .union(bank.byImage[bank.pairs[r].hash.image, default: []]))
    }
  }

  func batch(
    images: [Float], texts: [Float], of pairs: [(hash: ContentHash, caption: String)]
  ) -> any BatchScores {
    Batch(scorer: self, images: images, texts: texts, pairs: pairs)
  }

  private struct Batch: BatchScores {
    private let scorer: BankLikelihood
    private let images: [Float]
    private let texts: [Float]
    private let pairs: [(hash: ContentHash, caption: String)]
    private var ofImages: LogSums
    private var ofTexts: LogSums
    private var bank: EmbeddedBank { scorer.bank }

    init(
      scorer: BankLikelihood, images: [Float], texts: [Float],
      pairs: [(hash: ContentHash, caption: String)]
    ) {
      self.scorer = scorer
      self.images = images
      self.texts = texts
      self.pairs = pairs
      let bank = scorer.bank
      let (columns, dimension) = (bank.pairs.count, bank.dimension)
      ofImages = LogSums(
        images, bank.texts, columns: columns, dimension: dimension, scale: bank.scale)
      ofTexts = LogSums(
        texts, bank.images, columns: columns, dimension: dimension, scale: bank.scale)
    }

    mutating func observed(_ i: Int) -> Float {
      let same = Set(bank.byCaption[captionHash(pairs[i].caption), default: []])
        .union(sameImage(i))
      return score(
        bank.logit(images, i, texts, i), ofImages.logSum(row: i, without: same),
        ofTexts.logSum(row: i, without: same))
    }

    mutating func repaired(_ i: Int, with r: Int) -> Float {
      let sameImage = sameImage(i)
      let sameCaption = bank.byCaption[captionHash(bank.pairs[r].caption), default: []]
      return score(
        ofImages.logit(row: i, column: r),
        ofImages.logSum(row: i, without: Set(sameCaption).union(sameImage)),
        textSum(r, without: sameImage))
    }

    /// The sums over all others taken from one sum over all; a caption's own sum keeps the pair's image where that
    /// stands in the bank.
    mutating func repaired(_ i: Int, withEach candidates: [[Int]]) -> [Float] {
      let sameImage = sameImage(i)
      let logits = bank.pairs.indices.map { ofImages.logit(row: i, column: $0) }
      let top = logits.max() ?? 0
      let terms = logits.indices.map {
        sameImage.contains($0) ? 0 : Double(expf(logits[$0] - top))
      }
      let total = terms.reduce(0, +)
      return candidates.map { equal in
        var rest = total - equal.reduce(0) { $0 + terms[$1] }
        if rest < 1e-6 * total {
          // Nothing is left of the difference but rounding.
          rest = terms.indices.reduce(0) { equal.contains($1) ? $0 : $0 + terms[$1] }
        }
        let taken = Double(bank.pairs.count - equal.count - sameImage.count)
        let imageSum = top + Float(log(rest * Double(bank.pairs.count) / taken))
        return score(logits[equal[0]], imageSum, scorer.textSums[equal[0]])
      }
    }

    private func sameImage(_ i: Int) -> [Int] { bank.byImage[pairs[i].hash.image, default: []] }

    /// The sum over bank images for bank caption r, under an image that may itself stand in the bank.
    private func textSum(_ r: Int, without sameImage: [Int]) -> Float {
      if sameImage.isEmpty { return scorer.textSums[r] }
      let text = Array(bank.texts[(r * bank.dimension)..<((r + 1) * bank.dimension)])
      var sums = LogSums(
        text, bank.images, columns: bank.pairs.count, dimension: bank.dimension, scale: bank.scale)
      return sums.logSum(
        row: 0,
        without: Set(bank.byCaption[captionHash(bank.pairs[r].caption), default: []])
          .union(bank.byImage[bank.pairs[r].hash.image, default: []]).union(sameImage))
    }

    private func score(_ own: Float, _ imageSum: Float, _ textSum: Float) -> Float {
      own - 0.5 * (logAdd(own, imageSum) + logAdd(own, textSum))
    }
  }
}
