import Encoders
import Images
import Layers

/// Everything that decides what an ensemble learns from a corpus.
public struct TrainingConfiguration: Sendable, Codable, Equatable {
  public var seed: UInt64 = 0
  /// Cross-fitting folds: a pair is judged only by members that did not train on its fold.
  public var folds = 3
  public var epochs = 12
  public var batchSize = 256
  /// From this share of the training on, only the most trusted pairs are learnt from.
  public var trustAfter: Float = 0.4
  /// The share of the pairs that is then learnt from.
  public var trustedShare: Float = 0.75
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
