import Images

/// A pair of the reference bank.
public struct BankPair: Sendable, Codable, Equatable {
  public var hash: ContentHash
  public var caption: String

  public init(hash: ContentHash, caption: String) {
    self.hash = hash
    self.caption = caption
  }
}

/// The judges: for every kind of member one trained member a fold, and the fixed reference bank that all scores are
/// taken against.
public struct Ensemble: Sendable {
  /// One member and what it makes of the bank.
  public struct Member: Sendable {
    /// An index into `Ensemble.kinds`.
    public var kind: Int
    /// The fold this member held out, and may judge; 0 for a pretrained one, which may judge all.
    public var fold: Int
    /// With its final weights.
    public var encoder: FrozenEncoder
    /// The pretrained model whose encoder this is.
    public var model: PretrainedModel?
    /// Unit rows `[bank, dimension]`.
    public var bankImages: [Float]
    /// Unit rows `[bank, dimension]`.
    public var bankTexts: [Float]
    /// Mean and deviation of this member's raw scores of randomly re-paired bank pairs.
    public var mean: Float
    /// Above 0.
    public var deviation: Float
  }

  /// The configuration of each kind, in score order.
  public var kinds: [MemberConfiguration]
  /// How many folds the corpus was divided into; fold(pair) is a hash of its content.
  public var folds: Int
  /// The pairs of lowest content hash, which no member was trained on (but for a dictionary's stem, which is learnt from
  /// images without their captions, the bank's included).
  public var bank: [BankPair]
  /// For each kind a member a fold, in order; a single one where it is pretrained.
  public var members: [Member]
  /// Text clusters, in the embedding space of member 0: unit rows `[clusters, dimension]`.
  public var clusterCentres: [Float]
  /// The cluster of each bank caption, `[bank]`.
  public var bankClusters: [Int]

  public init(
    kinds: [MemberConfiguration], folds: Int, bank: [BankPair], members: [Member],
    clusterCentres: [Float], bankClusters: [Int]
  ) {
    self.kinds = kinds
    self.folds = folds
    self.bank = bank
    self.members = members
    self.clusterCentres = clusterCentres
    self.bankClusters = bankClusters
  }

  /// What the judges see of an image: each form of thumbnail that a kind needs, once.
  public var forms: [ThumbnailForm] { kinds.thumbnailForms }

  /// The place in `members` of the member of this kind that may judge this fold.
  public func index(kind: Int, fold: Int) -> Int {
    kinds[..<kind].reduce(kinds[kind].members(folds: folds) == 1 ? 0 : fold) {
      $0 + $1.members(folds: folds)
    }
  }

  /// The member of this kind that may judge this fold.
  public func member(kind: Int, fold: Int) -> Member { members[index(kind: kind, fold: fold)] }
}

extension MemberConfiguration {
  /// How many members this kind has: a pretrained one has learnt from no fold.
  func members(folds: Int) -> Int { pretrained == nil ? folds : 1 }
}

extension [MemberConfiguration] {
  /// Each form of thumbnail that one of them needs, once, in their order.
  public var thumbnailForms: [ThumbnailForm] {
    map(\.image.thumbnail).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
  }
}
