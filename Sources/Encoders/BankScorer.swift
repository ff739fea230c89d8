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
    /// With the caption of every bank pair, `[bank.count]`; minus infinity where that is the pair's own caption or
    /// image, or stands earlier in the bank. Empty unless asked for.
    var bank: [Float] = []
  }

  /// - Parameters:
  ///   - images: unit rows `[pairs.count, dimension]`
  ///   - texts: unit rows `[pairs.count, dimension]`
  ///   - repairings: for each pair, the bank pairs whose captions it is re-paired with.
  ///   - withBank: whether to score every pair with every caption of the bank.
  func scores(
    images: [Float], texts: [Float], of pairs: [(hash: ContentHash, caption: String)],
    repairings: [[Int]], withBank: Bool = false
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
      guard withBank else { return Scores(observed: observed, repaired: repaired) }
      let bankScores = bankScores(
        (0..<bank.count).map { ofImages.logit(row: i, column: $0) }, sameImage: Set(sameImage),
        sameCaption: captionHash(pairs[i].caption))
      return Scores(observed: observed, repaired: repaired, bank: bankScores)
    }
  }

  /// What `repaired` would be for every caption of the bank, the sums over the others taken from one sum over all; a
  /// caption's own sum keeps the pair's image where that stands in the bank.
  private func bankScores(
    _ logits: [Float], sameImage: Set<Int>, sameCaption: UInt64
  ) -> [Float] {
    var scores = [Float](repeating: -.infinity, count: bank.count)
    let top = logits.max() ?? 0
    let terms = logits.indices.map {
      sameImage.contains($0) ? 0 : Double(expf(logits[$0] - top))
    }
    let total = terms.reduce(0, +)
    for (caption, pairs) in byCaption where caption != sameCaption {
      let left = pairs.filter { !sameImage.contains($0) }
      guard let r = left.first, left.count == pairs.count else { continue }
      var rest = total - left.reduce(0) { $0 + terms[$1] }
      if rest < 1e-6 * total {
        // Nothing is left of the difference but rounding.
        let out = Set(left)
        rest = terms.indices.reduce(0) { out.contains($1) ? $0 : $0 + terms[$1] }
      }
      let taken = bank.count - left.count - sameImage.count
      let imageSum = top + Float(log(rest * Double(bank.count) / Double(taken)))
      scores[r] = score(logits[r], imageSum, textSums[r])
    }
    return scores
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
