/// Which re-paired pairs teach the model what a mismatch looks like.
public enum Repairing: String, Codable, CaseIterable, Sendable {
  /// Captions drawn at random: the cautious setting, blind to mismatches within a topic.
  case random
  /// Captions drawn from the same text cluster: finds hard mismatches, flags more good pairs.
  case cluster
  /// Both, at half weight each.
  case both

  /// The mismatch label's scores. Under `both` every image counts twice: see `weight`.
  func repaired(_ part: PairStatistics.Part) -> ScoreHistogram {
    switch self {
    case .random: return part.randomRepaired
    case .cluster: return part.clusterRepaired
    case .both:
      var both = part.randomRepaired
      both.merge(part.clusterRepaired)
      return both
    }
  }

  /// The weight of one re-paired score, so that every image counts once.
  var weight: Double { self == .both ? 0.5 : 1 }
}
