/// Which examples are flagged (the paper's section 3.2; cleanlab's `filter_by`).
public enum LabelIssueFilter: String, Sendable, Equatable, CaseIterable {
  /// For each given class i, as many as the joint has off the diagonal in row i: those of lowest self-confidence.
  case pruneByClass = "prune_by_class"
  /// For each given class i and true class j, as many as the joint's cell: those of the largest margin P[j] - P[i].
  case pruneByNoiseRate = "prune_by_noise_rate"
  /// What both of these flag.
  case both
  /// What the confident joint counts off its diagonal.
  case confidentLearning = "confident_learning"
  /// Where the likeliest class isn't the given one.
  case predictedNeqGiven = "predicted_neq_given"
  /// As many as `confidentLearning` flags: those of lowest normalised margin.
  case lowNormalizedMargin = "low_normalized_margin"
  /// As many as `confidentLearning` flags: those of lowest self-confidence.
  case lowSelfConfidence = "low_self_confidence"

  /// Whether it prunes by counts of the joint.
  var prunes: Bool { [.pruneByClass, .pruneByNoiseRate, .both].contains(self) }
}

/// What `find_label_issues` is told, with cleanlab's defaults.
public struct LabelIssueOptions: Sendable, Equatable {
  public var filter = LabelIssueFilter.pruneByNoiseRate
  public var rules = ClassLabelRules.cleanlab
  /// The share of the estimated issues to flag; for the filters that prune.
  public var fractionOfNoise = 1.0
  /// A class keeps at least so many; for the filters that prune, under cleanlab's rules.
  public var minimumPerClass = 1
  /// How many to flag in each class, instead of what the joint says, `[K]`; for the filters that prune.
  public var removedPerClass: [Int]?
  /// What the flagged are ranked by, worst first.
  public var rank = LabelQuality.selfConfidence
  /// Whether `rank` accounts for class imbalance by the thresholds.
  public var adjustsRank = false

  public init() {}

  /// - Throws: `.parameter`.
  public func check(classes: Int) throws(ClassLabelError) {
    guard (0...1_000_000).contains(fractionOfNoise) else {
      throw .parameter(
        "the fraction of noise lies between 0 and 1,000,000, not at \(fractionOfNoise)")
    }
    guard (0...1 << 40).contains(minimumPerClass) else {
      throw .parameter("the minimum per class lies between 0 and 2^40, not at \(minimumPerClass)")
    }
    guard filter.prunes || (fractionOfNoise == 1 && removedPerClass == nil) else {
      throw .parameter(
        "\(filter.rawValue) prunes no counts: a fraction of noise and numbers to remove are for "
          + "prune_by_class, prune_by_noise_rate and both")
    }
    guard let removedPerClass else { return }
    guard removedPerClass.count == classes, removedPerClass.allSatisfy({ $0 >= 0 }) else {
      throw .parameter(
        "\(removedPerClass.count) numbers to remove for \(classes) classes; one of at least 0 a class"
      )
    }
  }
}
