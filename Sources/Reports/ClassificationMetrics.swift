/// How well predicted classes fit the true ones.
public enum ClassificationMetrics {
  /// The share of right predictions.
  /// - Returns: nil without any.
  public static func accuracy(predicted: [Int], truth: [Int]) -> Double? {
    precondition(predicted.count == truth.count)
    guard !truth.isEmpty else { return nil }
    return Double(zip(predicted, truth).count { $0 == $1 }) / Double(truth.count)
  }

  /// The mean over classes of F1 = 2 tp / (2 tp + fp + fn), over the classes that occur among the truth or the
  /// predictions (scikit-learn's `f1_score(average="macro")`).
  /// - Returns: nil without any.
  public static func macroF1(predicted: [Int], truth: [Int]) -> Double? {
    precondition(predicted.count == truth.count)
    guard !truth.isEmpty else { return nil }
    var hits: [Int: Int] = [:]
    // tp + fp and tp + fn together.
    var mentions: [Int: Int] = [:]
    for (p, t) in zip(predicted, truth) {
      if p == t { hits[t, default: 0] += 1 }
      mentions[p, default: 0] += 1
      mentions[t, default: 0] += 1
    }
    let sum = mentions.sorted { $0.key < $1.key }.reduce(0.0) { sum, mention in
      sum + 2 * Double(hits[mention.key, default: 0]) / Double(mention.value)
    }
    return sum / Double(mentions.count)
  }
}
