/// A pair as the judges see it.
public struct JudgedPair: Sendable {
  public var hash: ContentHash
  /// RGB bytes, one thumbnail for each of the ensemble's `forms`.
  public var thumbnails: [[UInt8]]
  public var caption: String

  public init(hash: ContentHash, thumbnails: [[UInt8]], caption: String) {
    self.hash = hash
    self.thumbnails = thumbnails
    self.caption = caption
  }
}

/// What the judges say of one pair: a score per kind of member, standardised so that randomly re-paired captions have
/// mean 0 and deviation 1. Higher is a better match.
public struct PairScores: Sendable, Equatable {
  /// The pair as found, `[kinds]`.
  public var observed: [Float]
  /// The image with a caption drawn at random from the bank, `[kinds]`: a known mismatch.
  public var randomRepaired: [Float]
  /// The image with a bank caption of the same text cluster, `[kinds]`: a known mismatch that is hard to tell.
  public var clusterRepaired: [Float]
  /// The bank pairs that those captions are of.
  public var randomCaption = 0
  public var clusterCaption = 0
  /// The bank pair whose caption fits the image best, in the mean over the kinds, and that mean; nil where the bank
  /// holds no caption but the pair's own, or it wasn't asked for.
  public var best: BankCaption?

  public struct BankCaption: Sendable, Equatable {
    /// In the ensemble's bank.
    public var pair: Int
    public var score: Float
  }

  public init(observed: [Float], randomRepaired: [Float], clusterRepaired: [Float]) {
    self.observed = observed
    self.randomRepaired = randomRepaired
    self.clusterRepaired = clusterRepaired
  }

  static func zero(kinds: Int) -> PairScores {
    let zeros = [Float](repeating: 0, count: kinds)
    return PairScores(observed: zeros, randomRepaired: zeros, clusterRepaired: zeros)
  }
}
