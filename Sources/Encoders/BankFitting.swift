import Layers

/// What is measured on the bank once a member is trained, and once all are.
extension Ensemble.Member {
  /// Copies a trained member, encodes the bank with it and measures the scores of randomly re-paired bank pairs.
  /// - Parameter thumbnail: the RGB bytes of bank thumbnail `i`, in the member's form.
  public init(
    _ encoder: DualEncoder, kind: Int, fold: Int, bank: [BankPair], thumbnail: (Int) -> [UInt8]
  ) {
    let frozen = FrozenEncoder(encoder.copy())
    let pairEncoder = PairEncoder(frozen)
    self.init(
      frozen, model: nil, kind: kind, fold: fold, bank: bank,
      images: pairEncoder.images(count: bank.count, thumbnail: thumbnail),
      texts: pairEncoder.texts(bank.map(\.caption)))
  }

  /// The same with a pretrained model, given what it makes of the bank.
  ///
  /// - Parameters:
  ///   - images: unit rows `[bank, dimension]`.
  ///   - texts: unit rows `[bank, dimension]`.
  public init(
    _ model: PretrainedModel, kind: Int, bank: [BankPair], images: [Float], texts: [Float]
  ) {
    self.init(
      model.encoder, model: model, kind: kind, fold: 0, bank: bank, images: images, texts: texts)
  }

  private init(
    _ encoder: FrozenEncoder, model: PretrainedModel?, kind: Int, fold: Int, bank: [BankPair],
    images: [Float], texts: [Float]
  ) {
    let embedded = EmbeddedBank(
      bank, images: images, texts: texts, dimension: encoder.configuration.dimension,
      scale: PairEncoder(encoder).scale)
    let (mean, deviation) = BankLikelihood(embedded).standardisation()
    self.init(
      kind: kind, fold: fold, encoder: encoder, model: model, bankImages: images, bankTexts: texts,
      mean: mean, deviation: deviation)
  }
}

extension PairScorer {
  /// Mean and deviation of the scores of randomly re-paired bank pairs.
  func standardisation() -> (mean: Float, deviation: Float) {
    let drawsPerPair = 16
    var random = SeededRandom(seed: 0xBA4C)
    let pairs = bank.pairs
    let captions = pairs.map { captionHash($0.caption) }
    let repairings = pairs.indices.map { i in
      (0..<drawsPerPair).map { _ in random.below(pairs.count) }.filter {
        captions[$0] != captions[i] && pairs[$0].hash.image != pairs[i].hash.image
      }
    }
    let scores = scores(
      images: bank.images, texts: bank.texts, of: pairs.map { ($0.hash, $0.caption) },
      repairings: repairings
    ).flatMap(\.repaired).map(Double.init)
    guard scores.count > 1 else { return (0, 1) }
    let mean = scores.reduce(0, +) / Double(scores.count)
    let variance =
      scores.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(scores.count - 1)
    return (Float(mean), Float(max(variance.squareRoot(), 1e-6)))
  }
}

extension Ensemble {
  /// The ensemble of these members, its text clusters made in the embedding space of the first.
  public init(
    kinds: [MemberConfiguration], folds: Int, bank: [BankPair], members: [Member], seed: UInt64
  ) {
    let clusters = sphericalClusters(
      members[0].bankTexts, dimension: kinds[0].dimension, clusters: max(2, bank.count / 20),
      seed: seed)
    self.init(
      kinds: kinds, folds: folds, bank: bank, members: members, clusterCentres: clusters.centres,
      bankClusters: clusters.assignment)
  }

  /// Pretrained models among the members of an ensemble, or by themselves.
  ///
  /// - Parameters:
  ///   - pretrained: the pretrained member of each kind, in score order; nil for the next kind of `trained`.
  ///   - trained: with as many kinds as `pretrained` has gaps; nil where it has none.
  ///   - bank: that of `trained`.
  public init(
    pretrained: [Member?], trained: Ensemble?, bank: [BankPair], seed: UInt64
  ) {
    var kinds: [MemberConfiguration] = []
    var members: [Member] = []
    var next = 0
    for (kind, brought) in pretrained.enumerated() {
      if let brought {
        kinds.append(brought.encoder.configuration)
        members.append(brought)
      } else if let trained {
        kinds.append(trained.kinds[next])
        for var member in trained.members where member.kind == next {
          member.kind = kind
          members.append(member)
        }
        next += 1
      }
    }
    precondition(next == trained?.kinds.count ?? 0, "a kind of trained member without a place")
    self.init(
      kinds: kinds, folds: trained?.folds ?? 1, bank: bank, members: members, seed: seed)
  }
}
