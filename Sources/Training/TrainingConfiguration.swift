import Encoders
import Layers

/// Everything that decides what an ensemble learns from a corpus.
public struct TrainingConfiguration: Sendable, Codable, Equatable {
  public var seed: UInt64 = 0
  /// Cross-fitting folds: a pair is judged only by members that did not train on its fold.
  public var folds = 10
  /// Short rounds with one kind of member each, in turn, that only find the pairs not worth learning from.
  public var selectionRounds = 2
  public var selectionEpochs = 6
  /// Later rounds do not learn from pairs whose out-of-fold score lies below this quantile of the scores of randomly
  /// re-paired ones.
  public var distrustQuantile: Float = 0.9
  public var epochs = 8
  /// A corpus too small for this many steps in `epochs` epochs is seen more often (half as many in a selection round).
  public var minimumSteps = 200
  public var batchSize = 96
  /// At most this many pairs are used, those of lowest content hash.
  public var maxPairs = 50_000
  /// Reference pairs that every score is taken against. At most an eighth of the corpus. No member is trained on them;
  /// their images, without the captions, may be among those that a dictionary is learnt from.
  public var bankSize = 256
  /// Image features of past batches that texts are held against too (EfficientCLIP); 0 for none.
  public var queue = 0
  /// Let a member leave the pairs out that its own snapshots trust least, epoch by epoch; nil for all pairs.
  public var ecl: EnsembleSchedule?
  public var optimiser = AdamW.Settings()
  public var augmentation = Augmentation()
  public var members = TrainingConfiguration.defaultMembers

  public init() { augmentation.wordDropout = 0.5 }

  /// Two dictionaries of patches at different scales, and two convolutional encoders: what each adds is told by
  /// `winnow eval noise`, what was tried instead by Tests/Benchmarks/README.md.
  private static var defaultMembers: [MemberConfiguration] {
    var coarse = ImageConfiguration(kind: .dictionary)
    (coarse.side, coarse.stride, coarse.grid, coarse.dropout) = (32, 1, 3, 0.7)
    var fine = coarse
    (fine.side, fine.stride, fine.grid) = (48, 2, 4)
    return [
      MemberConfiguration(name: "coarse-bag", image: coarse),
      MemberConfiguration(name: "fine-bag", image: fine),
      MemberConfiguration(name: "conv-bag", image: .init(kind: .convolutional)),
      MemberConfiguration(
        name: "conv-transformer", image: .init(kind: .convolutional),
        text: .init(kind: .transformer)),
    ]
  }

  /// How one member learns.
  func recipe(epochs: Int, minimumSteps: Int) -> Recipe {
    Recipe(
      epochs: epochs, minimumSteps: minimumSteps, batchSize: batchSize, queue: queue, ecl: ecl,
      optimiser: optimiser, augmentation: augmentation)
  }
}

extension TrainingConfiguration {
  /// Steps of all members together, trained on a corpus of so many pairs. Pairs that selection rounds leave out are not
  /// known beforehand and counted in.
  public func steps(pairs: Int) -> Int {
    let bank = min(bankSize, pairs / 8)
    // Of a single fold all, as `CorpusSplit` has it.
    let learnt = max(2, folds > 1 ? (pairs - bank) * (folds - 1) / folds : pairs - bank)
    func steps(_ epochs: Int, _ minimum: Int) -> Int {
      recipe(epochs: epochs, minimumSteps: minimum).plan(pairs: learnt).steps * folds
    }
    return selectionRounds * steps(selectionEpochs, minimumSteps / 2)
      + members.count { $0.pretrained == nil } * steps(epochs, minimumSteps)
  }

  /// What the dictionaries' features of a pair take on the disk while `members` are trained, each dictionary once.
  public static func diskBytesAPair(_ members: [MemberConfiguration]) -> Int {
    Set(members.compactMap(\.image.stem)).reduce(0) {
      $0 + DictionaryStem.count($1) * FeatureCache.bytesAFeature
    }
  }
}
