import Layers

/// Scores pairs with an ensemble. One thread only: every worker has its own.
public final class Judge {
  private let ensemble: Ensemble
  private let encoders: [PairEncoder]
  /// For each member, the first one with an equal stem of a dictionary: what that makes of an image serves both.
  private let stems: [Int?]
  private let scorers: [BankScorer]
  private let repairing: Repairing

  /// Builds the encoders of all members: keep a judge for many pairs.
  public init(_ ensemble: Ensemble) {
    self.ensemble = ensemble
    encoders = ensemble.members.map {
      PairEncoder(ensemble.encoder(kind: $0.kind, fold: $0.fold))
    }
    let weights = zip(ensemble.members, encoders).map { member, encoder in
      member.weights.filter { encoder.stemNames.contains($0.name) }
    }
    stems = weights.indices.map { i in
      weights[i].isEmpty
        ? nil
        : weights.indices.first {
          ensemble.kinds[ensemble.members[$0].kind].image.stem
            == ensemble.kinds[ensemble.members[i].kind].image.stem && weights[$0] == weights[i]
        }
    }
    scorers = zip(ensemble.members, encoders).map { member, encoder in
      BankScorer(
        bank: ensemble.bank, images: member.bankImages, texts: member.bankTexts,
        dimension: encoder.dimension, scale: encoder.scale)
    }
    repairing = Repairing(ensemble)
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
    for fold in 0..<ensemble.folds {
      let mine = pairs.indices.filter { pairs[$0].hash.fold(of: ensemble.folds) == fold }
      guard !mine.isEmpty else { continue }
      var features: [Int: [Float]] = [:]
      for kind in ensemble.kinds.indices {
        let scores = raw(
          mine.map { pairs[$0] }, kind, fold, mine.map { repairings[$0] }, &features)
        let member = ensemble.member(kind: kind, fold: fold)
        for (index, score) in zip(mine, scores) {
          let standard = { (raw: Float) in (raw - member.mean) / member.deviation }
          result[index].observed[kind] = standard(score.observed)
          result[index].randomRepaired[kind] = standard(score.repaired[0])
          result[index].clusterRepaired[kind] = standard(score.repaired[1])
        }
      }
    }
    return result
  }

  /// - Parameter features: what each stem has made of these pairs' images so far.
  private func raw(
    _ pairs: [JudgedPair], _ kind: Int, _ fold: Int, _ repairings: [[Int]],
    _ features: inout [Int: [Float]]
  ) -> [BankScorer.Scores] {
    let member = kind * ensemble.folds + fold
    let form = ensemble.forms.firstIndex(of: ensemble.kinds[kind].image.thumbnail) ?? 0
    let thumbnail = { (i: Int) in pairs[i].thumbnails[form] }
    let images: [Float]
    if let stem = stems[member] {
      let rows =
        features[stem] ?? encoders[stem].features(count: pairs.count, thumbnail: thumbnail)
      features[stem] = rows
      images = encoders[member].images(rows, count: pairs.count)
    } else {
      images = encoders[member].images(count: pairs.count, thumbnail: thumbnail)
    }
    return scorers[member].scores(
      images: images, texts: encoders[member].texts(pairs.map(\.caption)),
      of: pairs.map { ($0.hash, $0.caption) }, repairings: repairings)
  }
}
