/// The reference bank as one member sees it.
struct EmbeddedBank: Sendable {
  let pairs: [BankPair]
  let dimension: Int
  /// 1 / tau, the factor of a cosine.
  let scale: Float
  /// Unit rows `[pairs.count, dimension]`.
  let images: [Float]
  /// Unit rows `[pairs.count, dimension]`.
  let texts: [Float]
  /// The bank pairs of each image, and of each caption.
  let byImage: [UInt64: [Int]]
  let byCaption: [UInt64: [Int]]
  /// The bank pairs of each caption, in the order of the first of each.
  private let captions: [(hash: UInt64, pairs: [Int])]

  init(_ pairs: [BankPair], images: [Float], texts: [Float], dimension: Int, scale: Float) {
    self.pairs = pairs
    self.images = images
    self.texts = texts
    self.dimension = dimension
    self.scale = scale
    byImage = Dictionary(grouping: pairs.indices) { pairs[$0].hash.image }
    let byCaption = Dictionary(grouping: pairs.indices) { captionHash(pairs[$0].caption) }
    self.byCaption = byCaption
    captions = byCaption.map { ($0.key, $0.value) }.sorted { $0.pairs[0] < $1.pairs[0] }
  }

  /// The bank's different captions, each as the pairs that have it, without the pair's own and those of its image.
  func captions(otherThan pair: (hash: ContentHash, caption: String)) -> [[Int]] {
    let own = captionHash(pair.caption)
    let sameImage = byImage[pair.hash.image, default: []]
    return captions.filter { caption in
      caption.hash != own && !caption.pairs.contains(where: sameImage.contains)
    }.map(\.pairs)
  }

  /// scale * v.t of image row `i` of `images` and caption row `j` of `texts`.
  func logit(_ images: [Float], _ i: Int, _ texts: [Float], _ j: Int) -> Float {
    var cosine: Float = 0
    for d in 0..<dimension { cosine += images[i * dimension + d] * texts[j * dimension + d] }
    return scale * cosine
  }
}
