/// Stored as `[bin, count]` pairs of the bins that hold something, in ascending order:
/// `[[1019, 3], [1024, 17]]`.
extension ScoreHistogram: Codable {
  public init(from decoder: any Decoder) throws {
    var counts = Array(repeating: 0, count: Self.binCount)
    var list = try decoder.unkeyedContainer()
    var nextBin = 0
    while !list.isAtEnd {
      let pair = try list.decode([Int].self)
      guard pair.count == 2, (nextBin..<Self.binCount).contains(pair[0]), pair[1] > 0 else {
        throw Self.corrupted(decoder, "a bin is out of range or order, or holds no pair: \(pair)")
      }
      counts[pair[0]] = pair[1]
      nextBin = pair[0] + 1
    }
    guard let histogram = ScoreHistogram(counts: counts) else {
      throw Self.corrupted(decoder, "the counts are beyond \(Self.countLimit)")
    }
    self = histogram
  }

  public func encode(to encoder: any Encoder) throws {
    var list = encoder.unkeyedContainer()
    for (bin, count) in counts.enumerated() where count > 0 { try list.encode([bin, count]) }
  }

  private static func corrupted(_ decoder: any Decoder, _ reason: String) -> DecodingError {
    .dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: reason))
  }
}
