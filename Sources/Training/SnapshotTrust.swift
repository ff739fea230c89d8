/// Ensemble Confident Learning as EfficientCLIP's authors released it (Wang et al. 2021): the ensemble is the series of
/// end-of-epoch snapshots. S(i) accumulates cos(v_i, t_i) of each; an epoch goes on with the pairs of highest S, and
/// those left out do not come back.
struct SnapshotTrust: Sendable, Equatable {
  /// The pairs still learned from, as places in the member's own list of pairs; ascending.
  private(set) var kept: [Int]
  /// S of each of `kept`.
  private(set) var scores: [Float]
  /// How many snapshots' cosines they are the sums of.
  private(set) var epochs = 0

  init(pairs: Int) {
    kept = Array(0..<pairs)
    scores = [Float](repeating: 0, count: pairs)
  }

  /// - Parameters:
  ///   - epochs: not negative.
  ///   - places: as `places` gives them.
  ///   - scores: of each place.
  ///   - pairs: of the member.
  /// - Returns: nil where the places are not different ones of these pairs in ascending order, each with a score.
  init?(epochs: Int, places: [Float], scores: [Float], of pairs: Int) {
    let halves = places.map { Int(exactly: $0) ?? -1 }
    guard halves.count == 2 * scores.count, scores.allSatisfy(\.isFinite),
      halves.allSatisfy((0..<Self.half).contains)
    else { return nil }
    let kept = scores.indices.map { halves[2 * $0] * Self.half + halves[2 * $0 + 1] }
    guard kept.allSatisfy((0..<pairs).contains), zip(kept, kept.dropFirst()).allSatisfy(<) else {
      return nil
    }
    (self.kept, self.scores, self.epochs) = (kept, scores, epochs)
  }

  private static let half = 1 << 20

  /// `kept`, each place in two halves that a float holds exactly.
  var places: [Float] { kept.flatMap { [Float($0 / Self.half), Float($0 % Self.half)] } }

  /// Adds a snapshot's cosines, in the order of `kept`.
  mutating func add(_ cosines: [Float]) {
    for (i, cosine) in cosines.enumerated() { scores[i] += cosine }
    epochs += 1
  }

  /// Leaves all but the `count` pairs of highest score out; of equal ones the first stay.
  mutating func prune(to count: Int) {
    guard count < kept.count else { return }
    let best = kept.indices.sorted { (scores[$1], $0) < (scores[$0], $1) }.prefix(count).sorted()
    kept = best.map { kept[$0] }
    scores = best.map { scores[$0] }
  }
}
