import Layers

/// What is measured on the bank once a member is trained, and once all are.
extension Ensemble.Member {
  /// Encodes the bank with a trained member and measures the scores of randomly re-paired bank pairs.
  /// - Parameter fillThumbnail: writes bank thumbnail `i` as normalised floats `[side, side, 3]`.
  public init(
    _ encoder: DualEncoder, kind: Int, fold: Int, bank: [BankPair], side: Int,
    fillThumbnail: (Int, UnsafeMutablePointer<Float>) -> Void
  ) {
    let pairEncoder = PairEncoder(encoder)
    let images = pairEncoder.images(count: bank.count, side: side, fill: fillThumbnail)
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

/// Spherical k-means (Dhillon & Modha 2001) over unit rows, started from k-means++ seeds.
/// - Returns: unit centres `[clusters, dimension]` and the cluster of each row.
public func sphericalClusters(
  _ rows: [Float], dimension: Int, clusters: Int, seed: UInt64
) -> (centres: [Float], assignment: [Int]) {
  let count = rows.count / dimension
  let clusters = max(1, min(clusters, count))
  var random = SeededRandom(seed: seed)
  func row(_ i: Int) -> ArraySlice<Float> { rows[(i * dimension)..<((i + 1) * dimension)] }
  func dot(_ a: ArraySlice<Float>, _ b: ArraySlice<Float>) -> Float {
    zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
  }
  var centres = Array(row(random.below(count)))
  var distances = [Float](repeating: .infinity, count: count)
  while centres.count < clusters * dimension {
    let last = centres.suffix(dimension)
    for i in 0..<count { distances[i] = min(distances[i], max(0, 1 - dot(row(i), last))) }
    var draw = random.uniform() * distances.reduce(0, +)
    let chosen =
      distances.firstIndex {
        draw -= $0
        return draw <= 0
      } ?? count - 1
    centres += row(chosen)
  }
  var assignment = [Int](repeating: 0, count: count)
  for _ in 0..<20 {
    for i in 0..<count {
      let similarities = (0..<clusters).map {
        dot(row(i), centres[($0 * dimension)..<(($0 + 1) * dimension)])
      }
      assignment[i] = similarities.indices.max { similarities[$0] < similarities[$1] } ?? 0
    }
    for cluster in 0..<clusters {
      var sum = [Float](repeating: 0, count: dimension)
      for i in 0..<count where assignment[i] == cluster {
        for (d, value) in row(i).enumerated() { sum[d] += value }
      }
      let length = dot(sum[...], sum[...]).squareRoot()
      guard length > 1e-6 else { continue }
      for d in 0..<dimension { centres[cluster * dimension + d] = sum[d] / length }
    }
  }
  return (centres, assignment)
}
