/// Which pairs are worth learning from: their out-of-fold scores, accumulated over the selection rounds (Ensemble
/// Confident Learning, Wang et al. 2021, with members that did not see the pair).
struct Trust {
  /// Of a pair as found, and of its image with a caption drawn at random.
  struct Score: BitwiseCopyable {
    var observed: Float
    var repaired: Float
  }

  /// Indices into the corpus.
  private let pairs: [Int]
  private var observed: [Float]
  private var repaired: [Float]

  init(_ pairs: [Int]) {
    self.pairs = pairs
    observed = [Float](repeating: 0, count: pairs.count)
    repaired = observed
  }

  /// Adds a round of one kind; scores in the order of `pairs`.
  mutating func add(_ scores: [Score]) {
    for (i, score) in scores.enumerated() {
      observed[i] += score.observed
      repaired[i] += score.repaired
    }
  }

  /// The pairs whose score lies below this quantile of those of randomly re-paired captions: the more, the noisier the
  /// corpus. Never more than half of a fold: judges that are too weak to tell must not take away what the final round
  /// could learn from.
  func distrusted(quantile: Float, fold: (Int) -> Int) -> Set<Int> {
    guard !pairs.isEmpty, quantile > 0 else { return [] }
    let place = Int(quantile * Float(pairs.count))
    let threshold = repaired.sorted()[min(place, pairs.count - 1)]
    var leftOut: Set<Int> = []
    for members in Dictionary(grouping: pairs.indices, by: { fold(pairs[$0]) }).values {
      let worst = members.sorted { (observed[$0], $0) < (observed[$1], $1) }
      for i in worst.prefix(members.count / 2) where observed[i] < threshold {
        leftOut.insert(pairs[i])
      }
    }
    return leftOut
  }
}
