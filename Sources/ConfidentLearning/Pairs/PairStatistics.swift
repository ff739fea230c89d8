/// Everything that the noise model is fitted on: how observed and re-paired pairs score, by part.
///
/// Parts are the folds of the cross-fitted calibration (not those of the judges): a pair's part
/// must depend on its content alone. Statistics of shards, nights and machines merge exactly, in
/// any order.
public struct PairStatistics: Sendable, Equatable {
  public static let partCount = 5

  /// The scores of the pairs of one part.
  public struct Part: Sendable, Equatable, Codable {
    /// Pairs as they came: given label *match*.
    public var observed = ScoreHistogram()
    /// The same images with captions drawn at random: known *mismatch*.
    public var randomRepaired = ScoreHistogram()
    /// The same images with captions drawn from their text cluster: known *mismatch*, harder.
    public var clusterRepaired = ScoreHistogram()

    public init() {}

    enum CodingKeys: String, CodingKey {
      case observed
      case randomRepaired = "random_repaired"
      case clusterRepaired = "cluster_repaired"
    }
  }

  /// `[partCount]`
  public internal(set) var parts = Array(repeating: Part(), count: Self.partCount)

  public init() {}

  /// Observed pairs in all parts.
  public var pairs: Int { parts.reduce(0) { $0 + $1.observed.count } }

  /// The observed scores of all parts.
  var observed: ScoreHistogram { ScoreHistogram(merging: parts.map(\.observed)) }

  /// The mismatch label's scores of all parts.
  func repaired(_ repairing: Repairing) -> ScoreHistogram {
    ScoreHistogram(merging: parts.map { repairing.repaired($0) })
  }

  /// Adds an image's three mean standardised scores.
  ///
  /// - Precondition: no score is NaN, and `part` is in `0..<partCount`.
  public mutating func add(
    observed: Float, randomRepaired: Float, clusterRepaired: Float, part: Int
  ) {
    precondition(parts.indices.contains(part), "part \(part) of \(Self.partCount)")
    parts[part].observed.add(observed)
    parts[part].randomRepaired.add(randomRepaired)
    parts[part].clusterRepaired.add(clusterRepaired)
  }

  /// Adds the pairs of `other`.
  public mutating func merge(_ other: PairStatistics) {
    for part in parts.indices {
      parts[part].observed.merge(other.parts[part].observed)
      parts[part].randomRepaired.merge(other.parts[part].randomRepaired)
      parts[part].clusterRepaired.merge(other.parts[part].clusterRepaired)
    }
  }
}

extension PairStatistics: Codable {
  enum CodingKeys: String, CodingKey {
    case formatVersion = "format_version"
    case parts
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    _ = try values.decode(FormatVersion.self, forKey: .formatVersion)
    parts = try values.decode([Part].self, forKey: .parts)
    let wholeImages = parts.allSatisfy {
      $0.observed.count == $0.randomRepaired.count && $0.observed.count == $0.clusterRepaired.count
    }
    guard parts.count == Self.partCount, wholeImages else {
      throw DecodingError.dataCorruptedError(
        forKey: .parts, in: values,
        debugDescription: "not \(Self.partCount) parts with three scores to an image")
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(FormatVersion(), forKey: .formatVersion)
    try values.encode(parts, forKey: .parts)
  }
}
