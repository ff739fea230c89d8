import Encoders
import Layers

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Which pairs are worth learning from: their out-of-fold scores, accumulated over the selection rounds (Ensemble
/// Confident Learning, Wang et al. 2021, with members that did not see the pair).
struct Trust {
  /// Indices into the corpus.
  private let pairs: [Int]
  private var observed: [Float]
  private var repaired: [Float]
  private var rounds: Float = 0

  init(_ pairs: [Int]) {
    self.pairs = pairs
    observed = [Float](repeating: 0, count: pairs.count)
    repaired = observed
  }

  /// Adds a round of one kind; scores in the order of `pairs`.
  mutating func add(_ scores: [PairScores]) {
    rounds += 1
    for (i, score) in scores.enumerated() {
      observed[i] += score.observed[0]
      repaired[i] += score.randomRepaired[0]
    }
  }

  /// The width of the step from distrust to trust, in deviations of re-paired scores.
  private static let width: Float = 0.5

  /// How likely an epoch draws each pair, by its index into the corpus: a half where its score is this quantile of those of
  /// randomly re-paired captions (so the fewer are drawn, the noisier the corpus), less below, more above. At most half
  /// of a fold lies below: judges that are too weak to tell must not take away what the final round could learn from.
  ///
  /// Leaving pairs out for good instead loses the matches among them, and what the members disagree on: three members of
  /// one kind came to an AUROC of 0.9015 that way, to 0.9061 drawing anew each epoch (Tests/Benchmarks/README.md).
  func shares(quantile: Float, fold: (Int) -> Int) -> [Int: Float] {
    guard !pairs.isEmpty, quantile > 0 else { return [:] }
    let place = Int(quantile * Float(pairs.count))
    let threshold = repaired.sorted()[min(place, pairs.count - 1)]
    var shares: [Int: Float] = [:]
    for members in Dictionary(grouping: pairs.indices, by: { fold(pairs[$0]) }).values {
      let median = members.map { observed[$0] }.sorted()[members.count / 2]
      for i in members {
        let above = (observed[i] - min(threshold, median)) / max(rounds, 1)
        shares[pairs[i]] = 1 / (1 + expf(-above / Self.width))
      }
    }
    return shares
  }
}

/// Sequential Poisson sampling (Ohlsson 1998): exactly `count` of the places in `shares`, each about as likely as its share
/// where the shares sum up to `count`; in random order.
func drawn(_ count: Int, by shares: [Float], _ random: inout SeededRandom) -> [Int] {
  let keys = shares.map { random.uniform() / $0 }
  var places = Array(
    keys.indices.sorted { (keys[$0], $0) < (keys[$1], $1) }.prefix(count))
  random.shuffle(&places)
  return places
}
