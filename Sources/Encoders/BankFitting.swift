import Layers

/// What is measured on the bank once a member is trained, and once all are.
extension Ensemble.Member {
  /// Encodes the bank with a trained member and measures the scores of randomly re-paired bank pairs.
  /// - Parameter thumbnail: the RGB bytes of bank thumbnail `i`, in the member's form.
  public init(
    _ encoder: DualEncoder, kind: Int, fold: Int, bank: [BankPair], thumbnail: (Int) -> [UInt8]
  ) {
    let pairEncoder = PairEncoder(encoder)
    let images = pairEncoder.images(count: bank.count, thumbnail: thumbnail)
    let texts = pairEncoder.texts(bank.map(\.caption))
    let scorer = BankScorer(
      bank: bank, images: images, texts: texts, dimension: pairEncoder.dimension,
      scale: pairEncoder.scale)
    let (mean, deviation) = Self.standardisation(scorer, bank: bank, images: images, texts: texts)
    self.init(
      kind: kind, fold: fold, weights: encoder.weights, bankImages: images, bankTexts: texts,
      mean: mean, deviation: deviation)
  }

  private static func standardisation(
    _ scorer: BankScorer, bank: [BankPair], images: [Float], texts: [Float]
  ) -> (mean: Float, deviation: Float) {
    let drawsPerPair = 16
    var random = SeededRandom(seed: 0xBA4C)
    let captions = bank.map { captionHash($0.caption) }
    let repairings = bank.indices.map { i in
      (0..<drawsPerPair).map { _ in random.below(bank.count) }.filter {
        captions[$0] != captions[i] && bank[$0].hash.image != bank[i].hash.image
      }
    }
    let scores = scorer.scores(
      images: images, texts: texts, of: bank.map { ($0.hash, $0.caption) }, repairings: repairings
    ).flatMap(\.repaired).map(Double.init)
    guard scores.count > 1 else { return (0, 1) }
    let mean = scores.reduce(0, +) / Double(scores.count)
    let variance =
      scores.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(scores.count - 1)
    return (Float(mean), Float(max(variance.squareRoot(), 1e-6)))
  }
}
