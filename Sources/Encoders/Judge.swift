import Layers

/// Scores pairs with an ensemble. One thread only: every worker has its own.
public final class Judge {
  private let ensemble: Ensemble
  private let encoders: [PairEncoder]
  /// For each member, the first one with an equal stem of a dictionary: what that makes of an image serves both.
  private let stems: [Int?]
  private let scorers: [any PairScorer]
  /// Of each member's raw scores, by this way of scoring.
  private let standards: [(mean: Float, deviation: Float)]
  private let repairing: BankRepairing

  private let explains: Bool

  /// - Parameter explains: whether to look for the caption of the bank that fits best; selection needs none.
  public init(
    _ ensemble: Ensemble, scoring: ScoringMethod = .bankLikelihood, explains: Bool = false
  ) {
    self.ensemble = ensemble
    self.explains = explains
    let pool = BufferPool()
    let encoders = ensemble.members.map { PairEncoder($0.encoder, pool: pool) }
    self.encoders = encoders
    stems = encoders.map { encoder in
      encoder.stem.flatMap { stem in encoders.firstIndex { $0.stem == stem } }
    }
    let scorers = zip(ensemble.members, encoders).map { member, encoder in
      scoring.scorer(
        EmbeddedBank(
          ensemble.bank, images: member.bankImages, texts: member.bankTexts,
          dimension: encoder.dimension, scale: encoder.scale))
    }
    self.scorers = scorers
    standards = zip(ensemble.members, scorers).map { member, scorer in
      // An ensemble holds those of its default.
      scoring == .bankLikelihood ? (member.mean, member.deviation) : scorer.standardisation()
    }
    repairing = BankRepairing(ensemble)
  }

  /// The scores of any number of pairs, each under the members that held its fold out, in the order of `pairs`.
  public func score(_ pairs: [JudgedPair]) -> [PairScores] {
    let clusterTexts = encoders[0].texts(pairs.map(\.caption))
    let dimension = encoders[0].dimension
    let repairings = pairs.indices.map { i in
      let chosen = repairing.choose(
        pairs[i].hash, caption: pairs[i].caption,
        text: clusterTexts[(i * dimension)..<((i + 1) * dimension)])
      return [chosen.random, chosen.cluster]
    }
    var result = [PairScores](
      repeating: .zero(kinds: ensemble.kinds.count), count: pairs.count)
    for (index, repairing) in repairings.enumerated() {
      (result[index].randomCaption, result[index].clusterCaption) = (repairing[0], repairing[1])
    }
    // Of each pair with each bank caption, summed over the kinds.
    var sums = [[Float]](
      repeating: [Float](repeating: 0, count: explains ? ensemble.bank.count : 0),
      count: pairs.count)
    // By the first member with the stem, and fold.
    var features: [[Int]: [Float]] = [:]
    for kind in ensemble.kinds.indices {
      let folds = ensemble.kinds[kind].members(folds: ensemble.folds)
      for fold in 0..<folds {
        let mine = pairs.indices.filter { pairs[$0].hash.fold(of: folds) == fold }
        guard !mine.isEmpty else { continue }
        let scores = raw(
          mine.map { pairs[$0] }, kind, fold, mine.map { repairings[$0] }, &features)
        let (mean, deviation) = standards[ensemble.index(kind: kind, fold: fold)]
        for (index, score) in zip(mine, scores) {
          let standard = { (raw: Float) in (raw - mean) / deviation }
          result[index].observed[kind] = standard(score.observed)
          result[index].randomRepaired[kind] = standard(score.repaired[0])
          result[index].clusterRepaired[kind] = standard(score.repaired[1])
          for (r, raw) in score.bank.enumerated() { sums[index][r] += standard(raw) }
        }
      }
    }
    for (index, sum) in sums.enumerated() where explains {
      guard let best = sum.indices.max(by: { sum[$0] < sum[$1] }), sum[best].isFinite else {
        continue
      }
      result[index].best = PairScores.BankCaption(
        pair: best, score: sum[best] / Float(ensemble.kinds.count))
    }
    return result
  }

  /// - Parameter features: what each stem has made of a fold's images so far.
  private func raw(
    _ pairs: [JudgedPair], _ kind: Int, _ fold: Int, _ repairings: [[Int]],
    _ features: inout [[Int]: [Float]]
  ) -> [RawScores] {
    let member = ensemble.index(kind: kind, fold: fold)
    let form = ensemble.forms.firstIndex(of: ensemble.kinds[kind].image.thumbnail) ?? 0
    let thumbnail = { (i: Int) in pairs[i].thumbnails[form] }
    let images: [Float]
    if let stem = stems[member] {
      // A pretrained one judges the pairs of all folds.
      let key = [stem, ensemble.kinds[kind].pretrained == nil ? fold : -1]
      let rows =
        features[key] ?? encoders[stem].features(count: pairs.count, thumbnail: thumbnail)
      features[key] = rows
      images = encoders[member].images(rows, count: pairs.count)
    } else {
      images = encoders[member].images(count: pairs.count, thumbnail: thumbnail)
    }
    return scorers[member].scores(
      images: images, texts: encoders[member].texts(pairs.map(\.caption)),
      of: pairs.map { ($0.hash, $0.caption) }, repairings: repairings, withBank: explains)
  }
}
