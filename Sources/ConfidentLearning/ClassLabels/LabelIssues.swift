/// Confident learning on labels that lie in memory: three reads over one part.
///
///     let issues = try LabelIssues.find(rows)
///     issues.model.noiseRate        // 0.08
///     issues.issues.map(\.row)      // [512, 17, 90, ...]: the most doubtful label first
///
/// Data that doesn't fit in memory takes the same three reads over its parts: `ClassStatistics`, `ConfidentCounts`,
/// `IssueSelection`, each merged over the parts before the next begins. The result is the same. `EarlyCounts`, beside the
/// first, mostly saves the second.
public struct LabelIssues: Sendable {
  public let model: ClassNoiseModel
  /// The worst first.
  public let issues: [LabelIssue]

  public init(model: ClassNoiseModel, issues: [LabelIssue]) {
    (self.model, self.issues) = (model, issues)
  }

  /// cleanlab's `find_label_issues`.
  ///
  /// - Throws: `ClassLabelError`.
  public static func find(
    _ rows: LabelledRows, options: LabelIssueOptions = LabelIssueOptions()
  ) throws(ClassLabelError) -> LabelIssues {
    try options.check(classes: rows.classes)
    var statistics = ClassStatistics(classes: rows.classes)
    try statistics.add(rows)
    var confident = ConfidentCounts(
      thresholds: statistics.thresholds(options.rules), rules: options.rules)
    try confident.add(rows)
    let model = ClassNoiseModel(statistics, confident)
    var selection = try IssueSelection(model, options: options)
    try selection.add(rows)
    return LabelIssues(model: model, issues: selection.issues)
  }
}
