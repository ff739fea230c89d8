/// Everything that the noise model is fitted on: how observed and re-paired pairs score, by part.
///
/// A part is a hash of the caption, so that pairs of equal captions share one: they score alike, and neither the
/// cross-fitted calibration nor the bootstrap may take them for independent. A re-paired pair stands in the part of the
/// caption that it was given. Statistics of shards, nights and machines merge exactly, in any order.
public struct PairStatistics: Sendable, Equatable {
  public static let partCount = 32

  /// The scores of the pairs of one part.
  public struct Part: Sendable, Equatable, Codable {
    /// Pairs as they came: given label *match*.
    public var observed = ScoreHistogram()
    /// The same images with captions drawn at random: known *mismatch*.
    public var randomRepaired = ScoreHistogram()
    /// The same images with captions drawn from their text cluster: known *mismatch*, harder.
    public var clusterRepaired = ScoreHistogram()

    public init() {}

    mutating func merge(_ other: Part) {
      observed.merge(other.observed)
      randomRepaired.merge(other.randomRepaired)
      clusterRepaired.merge(other.clusterRepaired)
    }

    enum CodingKeys: String, CodingKey {
      case observed
      case randomRepaired = "random_repaired"
      case clusterRepaired = "cluster_repaired"
    }
  }

  /// `[partCount]`
  public internal(set) var parts = Array(repeating: Part(), count: Self.partCount)

  public init() {}

  /// The part of a caption, by a hash of it.
  public static func part(ofCaption hash: UInt64) -> Int { Int(hash % UInt64(partCount)) }

  /// Observed pairs in all parts.
  public var pairs: Int { parts.reduce(0) { $0 + $1.observed.count } }

  /// All parts together.
  var whole: Part { parts.reduce(into: Part()) { $0.merge($1) } }

  /// Adds a pair as it came, by the mean of its standardised scores.
  ///
  /// - Precondition: the score is not NaN, and `part` is in `0..<partCount`; so for the two below.
  public mutating func add(observed score: Float, part: Int) { parts[part].observed.add(score) }

  /// Adds its image with a caption drawn at random, whose part `part` is.
  public mutating func add(randomRepaired score: Float, part: Int) {
    parts[part].randomRepaired.add(score)
  }

  /// Adds its image with a caption drawn from its text cluster, whose part `part` is.
  public mutating func add(clusterRepaired score: Float, part: Int) {
    parts[part].clusterRepaired.add(score)
  }

  /// Adds the pairs of `other`.
  public mutating func merge(_ other: PairStatistics) {
    for part in parts.indices { parts[part].merge(other.parts[part]) }
  }
}

extension PairStatistics: Codable {
  enum CodingKeys: String, CodingKey {
    case formatVersion = "format_version"
    case parts
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    _ = try values.decode(FormatVersion<PairFormat>.self, forKey: .formatVersion)
    parts = try values.decode([Part].self, forKey: .parts)
    let whole = whole
    let wholeImages =
      whole.observed.count == whole.randomRepaired.count
      && whole.observed.count == whole.clusterRepaired.count
    guard parts.count == Self.partCount, wholeImages else {
      throw DecodingError.dataCorruptedError(
        forKey: .parts, in: values,
        debugDescription: "not \(Self.partCount) parts with three scores to an image")
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(FormatVersion<PairFormat>(), forKey: .formatVersion)
    try values.encode(parts, forKey: .parts)
  }
}
