import Layers
import VectorMath

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A member's raw score of a pair against the reference bank (DESIGN.md, "Score"; the idea of s-CLIPLoss, Wang et al.
/// 2024, made independent of the batch):
///
///     l(i) = v_i.t_i/tau - 1/2 [ log(e^{v_i.t_i/tau} + sum_r e^{v_i.t_r/tau})
///                              + log(e^{v_i.t_i/tau} + sum_r e^{v_r.t_i/tau}) ]
///
/// Bank pairs with the same caption or the same image as either side are left out and the sums scaled up for it.
public struct BankScorer: Sendable {
  private let imageHashes: [UInt64]
  private let captionHashes: [UInt64]
  private var count: Int { imageHashes.count }
  private let dimension: Int
  private let scale: Float
  private let bankImages: [Float]
  private let bankTexts: [Float]
  /// For each bank caption r, the sum over bank images r' of e^{(v_r'.t_r - 1)/tau}, those with its caption left out.
  private let textSums: [Float]

  public init(
    bank: [BankPair], images: [Float], texts: [Float], dimension: Int, scale: Float
  ) {
    let imageHashes = bank.map(\.hash.image)
    let captionHashes = bank.map { captionHash($0.caption) }
    self.imageHashes = imageHashes
    self.captionHashes = captionHashes
    self.dimension = dimension
    self.scale = scale
    bankImages = images
    bankTexts = texts
    let similarities = Self.exponentials(
      texts, images, rows: bank.count, columns: bank.count, dimension, scale)
    textSums = bank.indices.map { r in
      Self.sum(similarities, row: r, bank.count) {
        captionHashes[$0] == captionHashes[r] || imageHashes[$0] == imageHashes[r]
      }
    }
  }

  /// Raw scores of one pair: as found, and with the captions of some bank pairs instead.
  struct Scores {
    var observed: Float
    var repaired: [Float]
  }

  /// - Parameters:
  ///   - images: unit rows `[pairs.count, dimension]`
  ///   - texts: unit rows `[pairs.count, dimension]`
  ///   - repairings: for each pair, the bank pairs whose captions it is re-paired with.
  func scores(
    images: [Float], texts: [Float], of pairs: [(hash: ContentHash, caption: String)],
    repairings: [[Int]]
  ) -> [Scores] {
    let byImage = Self.exponentials(
      images, bankTexts, rows: pairs.count, columns: count, dimension, scale)
    let byText = Self.exponentials(
      texts, bankImages, rows: pairs.count, columns: count, dimension, scale)
    return pairs.indices.map { i in
      let (imageHash, textHash) = (pairs[i].hash.image, captionHash(pairs[i].caption))
      let same = { (r: Int) in
        self.imageHashes[r] == imageHash || self.captionHashes[r] == textHash
      }
      var cosine: Float = 0
      for d in (i * dimension)..<((i + 1) * dimension) { cosine += images[d] * texts[d] }
      let observed = score(
        expf(scale * (cosine - 1)), Self.sum(byImage, row: i, count, without: same),
        Self.sum(byText, row: i, count, without: same))
      let repaired = repairings[i].map { r in
        let others = Self.sum(byImage, row: i, count) {
          imageHashes[$0] == imageHash || captionHashes[$0] == captionHashes[r]
        }
        return score(byImage[i * count + r], others, textSums[r])
      }
      return Scores(observed: observed, repaired: repaired)
    }
  }

  private func score(_ own: Float, _ imageSum: Float, _ textSum: Float) -> Float {
    let own = max(own, 1e-37)
    return logf(own) - 0.5 * (logf(own + imageSum) + logf(own + textSum))
  }

  /// e^{scale (a.b - 1)} for all rows a of `left` and b of `right`.
  private static func exponentials(
    _ left: [Float], _ right: [Float], rows: Int, columns: Int, _ dimension: Int, _ scale: Float
  ) -> [Float] {
    [Float](unsafeUninitializedCapacity: rows * columns) { buffer, initialised in
      initialised = rows * columns
      guard let out = buffer.baseAddress, rows > 0 else { return }
      left.withUnsafeBufferPointer { a in
        right.withUnsafeBufferPointer { b in
          guard let a = a.baseAddress, let b = b.baseAddress else { return }
          multiply(
            a, .no, b, .yes, into: out, m: rows, n: columns, k: dimension, alpha: scale)
        }
      }
      for i in 0..<(rows * columns) { out[i] -= scale }
      vm_exp(out, out, rows * columns)
    }
  }

  /// The sum of a row, scaled up for the columns left out.
  private static func sum(
    _ matrix: [Float], row: Int, _ columns: Int, without isLeftOut: (Int) -> Bool
  ) -> Float {
    var (sum, taken) = (Float(0), 0)
    for r in 0..<columns where !isLeftOut(r) {
      sum += matrix[row * columns + r]
      taken += 1
    }
    return taken == 0 ? 0 : sum * Float(columns) / Float(taken)
  }
}
