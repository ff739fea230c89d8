import Glibc

/// s-CLIPLoss (Wang et al., "CLIPLoss and Norm-Based Data Selection", NeurIPS 2024), with means for its sums: the pair's
/// cosine less the logarithms of the mean exponentials over the images and the captions of its batch. Every other pair of
/// the batch is a negative, also one with an equal caption, and a score depends on its neighbours: the pairs of one fold
/// that a shard's reader handed over together.
struct InBatchLikelihood: PairScorer {
  let bank: EmbeddedBank

  init(_ bank: EmbeddedBank) { self.bank = bank }

  func batch(
    images: [Float], texts: [Float], of pairs: [(hash: ContentHash, caption: String)]
  ) -> any BatchScores {
    Batch(bank: bank, images: images, texts: texts, count: pairs.count)
  }

  private struct Batch: BatchScores {
    private let bank: EmbeddedBank
    private let images: [Float]
    private let texts: [Float]
    private let count: Int
    private var ofImages: LogSums
    private var ofTexts: LogSums
    private var ofBankTexts: LogSums

    init(bank: EmbeddedBank, images: [Float], texts: [Float], count: Int) {
      self.bank = bank
      self.images = images
      self.texts = texts
      self.count = count
      func sums(_ left: [Float], _ right: [Float]) -> LogSums {
        LogSums(left, right, columns: count, dimension: bank.dimension, scale: bank.scale)
      }
      ofImages = sums(images, texts)
      ofTexts = sums(texts, images)
      ofBankTexts = sums(bank.texts, images)
    }

    mutating func observed(_ i: Int) -> Float {
      score(
        bank.logit(images, i, texts, i), ofImages.logSum(row: i, without: [i]),
        ofTexts.logSum(row: i, without: [i]))
    }

    mutating func repaired(_ i: Int, with r: Int) -> Float {
      score(
        bank.logit(images, i, bank.texts, r), ofImages.logSum(row: i, without: [i]),
        ofBankTexts.logSum(row: r, without: [i]))
    }

    /// By the means over the batch rather than the sums: a constant for a size of batch, and comparable for others.
    private func score(_ own: Float, _ imageSum: Float, _ textSum: Float) -> Float {
      // The sums come scaled up for the pair that they leave out, which stands beside them here.
      let scale = count > 1 ? logf(Float(count - 1) / Float(count)) : 0
      return own + logf(Float(count))
        - 0.5 * (logAdd(own, imageSum + scale) + logAdd(own, textSum + scale))
    }
  }
}
