extension PairStatistics {
  /// As many parts, drawn with replacement: the cluster bootstrap. Pairs of one caption score alike, so they are drawn
  /// together; drawn one by one, a corpus that repeats itself would look twice as sure as it is.
  func resampled(using random: inout SplitMix64) -> PairStatistics {
    var copy = self
    copy.parts = parts.indices.map { _ in parts[Int.random(in: parts.indices, using: &random)] }
    return copy
  }
}
