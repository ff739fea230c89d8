/// How well a score ranks positives above negatives. One that is no number counts as the lowest there is.
public enum RankingMetrics {
  /// The area under the ROC curve: the probability that a positive scores above a negative, ties counting half.
  /// - Returns: nil when one of the classes is empty.
  public static func auroc(scores: [Float], positives: [Bool]) -> Double? {
    let scores = ordered(scores)
    let order = scores.indices.sorted { scores[$0] < scores[$1] }
    let positive = positives.count { $0 }
    let negative = positives.count - positive
    guard positive > 0, negative > 0 else { return nil }
    // The Mann-Whitney statistic over mid-ranks.
    var rankSum = 0.0
    var start = 0
    while start < order.count {
      var end = start
      while end < order.count, scores[order[end]] == scores[order[start]] { end += 1 }
      let midRank = Double(start + end + 1) / 2
      rankSum += midRank * Double(order[start..<end].count { positives[$0] })
      start = end
    }
    let least = Double(positive) * Double(positive + 1) / 2
    return (rankSum - least) / (Double(positive) * Double(negative))
  }

  /// Average precision: the mean over positives of the precision at their score, ties taken together (scikit-learn's
  /// `average_precision_score`).
  /// - Returns: nil without positives.
  public static func averagePrecision(scores: [Float], positives: [Bool]) -> Double? {
    let scores = ordered(scores)
    let order = scores.indices.sorted { scores[$0] > scores[$1] }
    let total = positives.count { $0 }
    guard total > 0 else { return nil }
    var sum = 0.0
    var found = 0
    var start = 0
    while start < order.count {
      var end = start
      while end < order.count, scores[order[end]] == scores[order[start]] { end += 1 }
      let here = order[start..<end].count { positives[$0] }
      found += here
      sum += Double(here) / Double(total) * Double(found) / Double(end)
      start = end
    }
    return sum
  }

  /// What is no number isn't even equal to itself, so that ties of it would have no end.
  private static func ordered(_ scores: [Float]) -> [Float] {
    scores.map { $0.isNaN ? -Float.infinity : $0 }
  }
}
