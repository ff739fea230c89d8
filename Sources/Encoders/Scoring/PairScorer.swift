/// Scores pairs by one member; a file a method.
protocol PairScorer: Sendable {
  var bank: EmbeddedBank { get }

  /// What scores pairs that come together.
  /// - Parameters:
  ///   - images: unit rows `[pairs.count, dimension]`
  ///   - texts: unit rows `[pairs.count, dimension]`
  func batch(
    images: [Float], texts: [Float], of pairs: [(hash: ContentHash, caption: String)]
  ) -> any BatchScores
}

protocol BatchScores {
  /// The raw score of pair `i` as it was found; higher is a better match.
  mutating func observed(_ i: Int) -> Float
  /// The raw score of pair `i`'s image with the caption of bank pair `r`.
  mutating func repaired(_ i: Int, with r: Int) -> Float
  /// The same for several captions, none of which is the pair's own; by default one after another.
  mutating func repaired(_ i: Int, withEach candidates: [[Int]]) -> [Float]
}

extension BatchScores {
  mutating func repaired(_ i: Int, withEach candidates: [[Int]]) -> [Float] {
    candidates.map { repaired(i, with: $0[0]) }
  }
}

/// Raw scores of one pair: as found, and with the captions of some bank pairs instead.
struct RawScores {
  var observed: Float
  var repaired: [Float]
  /// With the caption of every bank pair, `[bank]`; minus infinity where that is the pair's own caption or image, or
  /// stands earlier in the bank. Empty unless asked for.
  var bank: [Float] = []
}

extension PairScorer {
  /// - Parameters:
  ///   - images: unit rows `[pairs.count, dimension]`
  ///   - texts: unit rows `[pairs.count, dimension]`
  ///   - repairings: for each pair, the bank pairs whose captions it is re-paired with.
  ///   - withBank: whether to score every pair with every caption of the bank.
  func scores(
    images: [Float], texts: [Float], of pairs: [(hash: ContentHash, caption: String)],
    repairings: [[Int]], withBank: Bool = false
  ) -> [RawScores] {
    var batch = batch(images: images, texts: texts, of: pairs)
    return pairs.indices.map { i in
      var scores = RawScores(
        observed: batch.observed(i), repaired: repairings[i].map { batch.repaired(i, with: $0) })
      if withBank {
        let candidates = bank.captions(otherThan: pairs[i])
        scores.bank = [Float](repeating: -.infinity, count: bank.pairs.count)
        for (equal, score) in zip(candidates, batch.repaired(i, withEach: candidates)) {
          scores.bank[equal[0]] = score
        }
      }
      return scores
    }
  }
}
