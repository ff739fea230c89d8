#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

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

/// The reference bank as one member sees it.
struct EmbeddedBank: Sendable {
  let pairs: [BankPair]
  let dimension: Int
  /// 1 / tau, the factor of a cosine.
  let scale: Float
  /// Unit rows `[pairs.count, dimension]`.
  let images: [Float]
  /// Unit rows `[pairs.count, dimension]`.
  let texts: [Float]
  /// The bank pairs of each image, and of each caption.
  let byImage: [UInt64: [Int]]
  let byCaption: [UInt64: [Int]]
  /// The bank pairs of each caption, in the order of the first of each.
  private let captions: [(hash: UInt64, pairs: [Int])]

  init(_ pairs: [BankPair], images: [Float], texts: [Float], dimension: Int, scale: Float) {
    self.pairs = pairs
    self.images = images
    self.texts = texts
    self.dimension = dimension
    self.scale = scale
    byImage = Dictionary(grouping: pairs.indices) { pairs[$0].hash.image }
    let byCaption = Dictionary(grouping: pairs.indices) { captionHash(pairs[$0].caption) }
    self.byCaption = byCaption
    captions = byCaption.map { ($0.key, $0.value) }.sorted { $0.pairs[0] < $1.pairs[0] }
  }

  /// The bank's different captions, each as the pairs that have it, without the pair's own and those of its image.
  func captions(otherThan pair: (hash: ContentHash, caption: String)) -> [[Int]] {
    let own = captionHash(pair.caption)
    let sameImage = byImage[pair.hash.image, default: []]
    return captions.filter { caption in
      caption.hash != own && !caption.pairs.contains(where: sameImage.contains)
    }.map(\.pairs)
  }

  /// scale * v.t of image row `i` of `images` and caption row `j` of `texts`.
  func logit(_ images: [Float], _ i: Int, _ texts: [Float], _ j: Int) -> Float {
    var cosine: Float = 0
    for d in 0..<dimension { cosine += images[i * dimension + d] * texts[j * dimension + d] }
    return scale * cosine
  }
}

/// log(e^a + e^b); b may be minus infinity.
func logAdd(_ a: Float, _ b: Float) -> Float {
  max(a, b) + log1pf(expf(-abs(a - b)))
}
