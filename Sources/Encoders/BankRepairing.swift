import Layers

/// Chooses the bank captions that a pair's image is re-paired with: known mismatches, drawn by the pair's content hash.
struct BankRepairing: Sendable {
  private let imageHashes: [UInt64]
  private let captionHashes: [UInt64]
  private let centres: [Float]
  private let dimension: Int
  /// The bank pairs of each cluster.
  private let clusters: [[Int]]

  init(_ ensemble: Ensemble) {
    imageHashes = ensemble.bank.map(\.hash.image)
    captionHashes = ensemble.bank.map { captionHash($0.caption) }
    centres = ensemble.clusterCentres
    dimension = ensemble.kinds[0].dimension
    var clusters = [[Int]](repeating: [], count: centres.count / dimension)
    for (pair, cluster) in ensemble.bankClusters.enumerated() { clusters[cluster].append(pair) }
    self.clusters = clusters
  }

  /// - Parameter text: the caption's unit row under member 0, which the clusters were made with.
  /// - Returns: a bank pair drawn from all, and one drawn from the caption's text cluster; neither has the pair's
  ///   image or caption (unless the whole bank does).
  func choose(_ hash: ContentHash, caption: String, text: ArraySlice<Float>) -> (
    random: Int, cluster: Int
  ) {
    var random = SeededRandom(seed: hash.low ^ hash.high)
    let own = captionHash(caption)
    func isOther(_ r: Int) -> Bool { captionHashes[r] != own && imageHashes[r] != hash.image }
    func draw(_ candidates: [Int]) -> Int? {
      let others = candidates.filter(isOther)
      return others.isEmpty ? nil : others[random.below(others.count)]
    }
    let all = Array(imageHashes.indices)
    let any = draw(all) ?? random.below(all.count)
    let nearest = clusters.indices.sorted { similarity(text, $0) > similarity(text, $1) }
    for cluster in nearest {
      if let pair = draw(clusters[cluster]) { return (any, pair) }
    }
    return (any, any)
  }

  private func similarity(_ text: ArraySlice<Float>, _ cluster: Int) -> Float {
    var sum: Float = 0
    for (d, value) in text.enumerated() { sum += value * centres[cluster * dimension + d] }
    return sum
  }
}
