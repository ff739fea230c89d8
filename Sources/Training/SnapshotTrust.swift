/// Ensemble Confident Learning as EfficientCLIP's authors released it (Wang et al. 2021): the ensemble is the series of
/// end-of-epoch snapshots. S(i) accumulates cos(v_i, t_i) of each; an epoch goes on with the pairs of highest S, and
/// those left out do not come back.
struct SnapshotTrust: Sendable, Equatable {
  /// The pairs still learned from, as places in the member's own list of pairs; ascending.
  private(set) var kept: [Int]
  /// S of each of `kept`.
  private(set) var scores: [Float]

  init(pairs: Int) {
    kept = Array(0..<pairs)
    scores = [Float](repeating: 0, count: pairs)
  }

  init(kept: [Int], scores: [Float]) {
    self.kept = kept
    self.scores = scores
  }

  /// Adds a snapshot's cosines, in the order of `kept`.
  mutating func add(_ cosines: [Float]) {
    for (i, cosine) in cosines.enumerated() { scores[i] += cosine }
  }

  /// Leaves all but the `count` pairs of highest score out; of equal ones the first stay.
  mutating func prune(to count: Int) {
    guard count < kept.count else { return }
    let best = kept.indices.sorted { (scores[$1], $0) < (scores[$0], $1) }.prefix(count).sorted()
    kept = best.map { kept[$0] }
    scores = best.map { scores[$0] }
  }
}
