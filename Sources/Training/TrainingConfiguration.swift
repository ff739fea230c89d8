import Encoders
import Images
import Layers

/// Everything that decides what an ensemble learns from a corpus.
public struct TrainingConfiguration: Sendable, Codable, Equatable {
  public var seed: UInt64 = 0
  /// Cross-fitting folds: a pair is judged only by members that did not train on its fold.
  public var folds = 3
  /// Epochs of a first round with the first kind of member alone, which only finds the pairs that are not worth
  /// learning from; 0 leaves it out.
  public var firstRoundEpochs = 4
  /// The final round does not learn from pairs whose out-of-fold score in the first round lies below this quantile of
  /// the scores of randomly re-paired ones.
  public var distrustQuantile: Float = 0.7
  public var epochs = 8
  /// A corpus too small for this many steps in `epochs` epochs is seen more often (half as many in the first round).
  public var minimumSteps = 200
  public var batchSize = 96
  /// Training thumbnails are this many pixels a side, and so are the judged ones.
  public var imageSide = 64
  /// How an image becomes square.
  public var geometry = Geometry.squash
  /// At most this many pairs are used, those of lowest content hash.
  public var maxPairs = 50_000
  /// Reference pairs that every score is taken against; never trained on. At most an eighth of the corpus.
  public var bankSize = 512
  public var optimiser = AdamW.Settings()
  public var augmentation = Augmentation()
  public var members = [
    MemberConfiguration(
      name: "conv-bag",
      image: ImageConfiguration(widths: [32, 64, 128, 256], blocks: [0, 1, 1, 1]),
      text: TextConfiguration(kind: .bag)),
    MemberConfiguration(
      name: "conv-transformer",
      image: ImageConfiguration(widths: [32, 64, 128, 256], blocks: [0, 1, 1, 1]),
      text: TextConfiguration(kind: .transformer)),
  ]

  public init() {}
}
