#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A member's raw score of a pair against the reference bank (DESIGN.md, "Score"; the idea of s-CLIPLoss, Wang et al.
/// 2024, made independent of the batch):
///
///     l(i) = v_i.t_i/tau - 1/2 [ log(e^{v_i.t_i/tau} + sum_r e^{v_i.t_r/tau})
///                              + log(e^{v_i.t_i/tau} + sum_r e^{v_r.t_i/tau}) ]
///
/// Bank pairs with the same caption or the same image as either side are left out and the sums scaled up for it.
struct BankScorer: Sendable {
  private let bank: [BankPair]
  /// The bank pairs of each image, and of each caption.
  private let byImage: [UInt64: [Int]]
  private let byCaption: [UInt64: [Int]]
  private let dimension: Int
  /// 1 / tau
  private let scale: Float
  private let bankImages: [Float]
  private let bankTexts: [Float]
  /// For each bank caption r, the logarithm of the sum over bank images r' of e^{v_r'.t_r/tau}.
  private let textSums: [Float]

  /// - Parameters:
  ///   - images: unit rows `[bank.count, dimension]`
  ///   - texts: unit rows `[bank.count, dimension]`
  ///   - scale: 1 / tau, the factor of a cosine.
  init(bank: [BankPair], images: [Float], texts: [Float], dimension: Int, scale: Float) {
    self.bank = bank
    byImage = Dictionary(grouping: bank.indices) { bank[$0].hash.image }
    byCaption = Dictionary(grouping: bank.indices) { captionHash(bank[$0].caption) }
    self.dimension = dimension
    self.scale = scale
    bankImages = images
    bankTexts = texts
    var sums = LogSums(texts, images, columns: bank.count, dimension: dimension, scale: scale)
    textSums = bank.indices.map { [byImage, byCaption] r in
      sums.logSum(
        row: r,
        without: Set(byCaption[captionHash(bank[r].caption), default: []])
          .union(byImage[bank[r].hash.image, default: []]))
    }
  }

  /// Raw scores of one pair: as found, and with the captions of some bank pairs instead.
  struct Scores {
    var observed: Float
    var repaired: [Float]
  }

  /// - Parameters:
  ///   - images: unit rows `[pairs.count, dimension]`
  ///   - texts: unit rows `[pairs.count, dimension]`
  ///   - repairings: for each pair, the bank pairs whose captions it is re-paired with.
  func scores(
    images: [Float], texts: [Float], of pairs: [(hash: ContentHash, caption: String)],
    repairings: [[Int]]
  ) -> [Scores] {
    var ofImages = LogSums(
      images, bankTexts, columns: bank.count, dimension: dimension, scale: scale)
    var ofTexts = LogSums(
      texts, bankImages, columns: bank.count, dimension: dimension, scale: scale)
    return pairs.indices.map { i in
      let sameImage = byImage[pairs[i].hash.image, default: []]
      let same = Set(byCaption[captionHash(pairs[i].caption), default: []]).union(sameImage)
      var cosine: Float = 0
      for d in (i * dimension)..<((i + 1) * dimension) { cosine += images[d] * texts[d] }
      let observed = score(
        scale * cosine, ofImages.logSum(row: i, without: same),
        ofTexts.logSum(row: i, without: same))
      let repaired = repairings[i].map { r in
        let sameCaption = byCaption[captionHash(bank[r].caption), default: []]
        return score(
          ofImages.logit(row: i, column: r),
          ofImages.logSum(row: i, without: Set(sameCaption).union(sameImage)),
          textSum(r, without: sameImage))
      }
      return Scores(observed: observed, repaired: repaired)
    }
  }

  /// The sum over bank images for bank caption r, under an image that may itself stand in the bank.
  private func textSum(_ r: Int, without sameImage: [Int]) -> Float {
    if sameImage.isEmpty { return textSums[r] }
    let text = Array(bankTexts[(r * dimension)..<((r + 1) * dimension)])
    var sums = LogSums(text, bankImages, columns: bank.count, dimension: dimension, scale: scale)
    return sums.logSum(
      row: 0,
      without: Set(byCaption[captionHash(bank[r].caption), default: []])
        .union(byImage[bank[r].hash.image, default: []]).union(sameImage))
  }

  private func score(_ own: Float, _ imageSum: Float, _ textSum: Float) -> Float {
    own - 0.5 * (logAdd(own, imageSum) + logAdd(own, textSum))
  }

  /// log(e^a + e^b); b may be minus infinity.
  private func logAdd(_ a: Float, _ b: Float) -> Float {
    max(a, b) + log1pf(expf(-abs(a - b)))
  }
}
