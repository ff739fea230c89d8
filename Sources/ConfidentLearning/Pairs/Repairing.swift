/// Which re-paired pairs teach the model what a mismatch looks like.
public enum Repairing: String, Codable, CaseIterable, Sendable {
  /// Captions drawn at random: blind to mismatches within a topic, so less is dropped.
  case random
  /// Captions drawn from the same text cluster: finds hard mismatches, flags more good pairs.
  case cluster
  /// Two thirds at random, a third from the cluster. Half of each drops a little more of both kinds, good pairs above
  /// all (Tests/Benchmarks/README.md).
  case both

  /// The mismatch label's scores. Under `both` every image counts three times: see `weight`.
  func repaired(_ part: PairStatistics.Part) -> ScoreHistogram {
    switch self {
    case .random: part.randomRepaired
    case .cluster: part.clusterRepaired
    case .both:
      ScoreHistogram(merging: [part.randomRepaired, part.randomRepaired, part.clusterRepaired])
    }
  }

  /// How many scores `repaired` holds.
  func count(in part: PairStatistics.Part) -> Int {
    switch self {
    case .random: part.randomRepaired.count
    case .cluster: part.clusterRepaired.count
    case .both: 2 * part.randomRepaired.count + part.clusterRepaired.count
    }
  }

  /// The weight of one re-paired score, so that every image counts once.
  var weight: Double { self == .both ? 1.0 / 3 : 1 }
}
