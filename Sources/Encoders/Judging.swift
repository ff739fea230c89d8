/// A pair as the judges see it.
public struct JudgedPair: Sendable {
  public var hash: ContentHash
  /// `side * side * 3` bytes, RGB, the ensemble's geometry already applied (`Ensemble.imageSide`).
  public var thumbnail: [UInt8]
  public var caption: String

  public init(hash: ContentHash, thumbnail: [UInt8], caption: String) {
    self.hash = hash
    self.thumbnail = thumbnail
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

  public init(observed: [Float], randomRepaired: [Float], clusterRepaired: [Float]) {
    self.observed = observed
    self.randomRepaired = randomRepaired
    self.clusterRepaired = clusterRepaired
  }
}

// Skeleton of what this room will offer (the bodies land with the encoders):
//
// public struct Ensemble: Sendable {
//   public let imageSide: Int            // thumbnails are imageSide x imageSide
//   public let folds: Int
//   public let kinds: [String]           // names of the kinds of member, in score order
//   public let digest: String            // hex, of everything that decides a score
//   public init(directory: String) throws          // ensemble.json + *.safetensors
//   public func write(to directory: String) throws // atomically: temporary, fsync, rename
// }
// /// Owned by one worker; not Sendable.
// public final class Judge {
//   public init(_ ensemble: Ensemble)
//   /// Any number of pairs; internally cut into padded batches of fixed shape, so results do not depend on `pairs.count`.
//   public func score(_ pairs: [JudgedPair]) -> [PairScores]
// }
