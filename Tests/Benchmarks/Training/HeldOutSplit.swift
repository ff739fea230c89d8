import Layers

/// The corpus divided into pairs that only test, and pairs to train on, as indices.
struct HeldOutSplit: Sendable {
  /// Correlation of 16 x 16 thumbnails from which on two images are nearly the same.
  static let nearDuplicate: Float = 0.98

  /// True pairs, each with an image and a caption of its own, in order of their content hashes.
  var heldOut: [Int] = []
  /// The others, in corpus order, without those whose image is nearly a held-out one or whose caption nearly is.
  var training: [Int] = []
  /// Left out of both.
  var nearDuplicates = 0

  /// - Parameter count: pairs to hold out, those of lowest content hash that qualify.
  init(_ pairs: [SamplePair], heldOut count: Int) {
    let captions = Dictionary(grouping: pairs.indices) { pairs[$0].plainCaption }
    let images = Dictionary(grouping: pairs.indices) { pairs[$0].hash.image }
    let candidates = pairs.indices.filter {
      !pairs[$0].isSwapped && captions[pairs[$0].plainCaption]?.count == 1
        && images[pairs[$0].hash.image]?.count == 1
    }.sorted { pairs[$0].hash < pairs[$1].hash }
    for candidate in candidates where heldOut.count < count {
      if !Self.isNear(pairs[candidate], heldOut.map { pairs[$0] }) { heldOut.append(candidate) }
    }
    let chosen = Set(heldOut)
    let rows = heldOut.map { pairs[$0] }
    // Nobody else has a held-out caption: they stand at one pair each.
    let rest = pairs.indices.filter { !chosen.contains($0) }
    training = rest.filter { !Self.isNear(pairs[$0], rows) }
    nearDuplicates = rest.count - training.count
  }

  private static func isNear(_ pair: SamplePair, _ others: [SamplePair]) -> Bool {
    others.contains { other in
      var correlation: Float = 0
      for i in pair.signature.indices { correlation += pair.signature[i] * other.signature[i] }
      return correlation >= nearDuplicate
    }
  }
}
