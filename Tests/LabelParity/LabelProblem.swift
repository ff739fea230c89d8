import ConfidentLearning
import Foundation
import TensorFiles

/// A problem with cleanlab's results (`Tests/Peers/label_reference.py`), and where ours differ.
public struct LabelProblem {
  private let columns: [String: NPYArray]
  public let rows: LabelledRows
  private let others: [LabelledRows]
  private let found: LabelIssues
  private let statistics: ClassStatistics
  /// What differs; empty where all is equal.
  public private(set) var differences: [String] = []
  /// Filters whose flagged examples are others when numpy's default sort picks among equals.
  public private(set) var unstable: [String] = []
  /// Results that were compared.
  public private(set) var compared = 0

  /// The `.npz` files of a folder, sorted.
  public static func files(in folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".npz") }
      .sorted().map { "\(folder)/\($0)" }
  }

  public init(_ path: String) throws {
    let columns = try NPZ.read(path)
    let labels = Self.integers(columns["labels"])
    func model(_ name: String) throws -> LabelledRows? {
      guard case .float64(let values, let shape)? = columns[name] else { return nil }
      return try LabelledRows(
        classes: shape[1], labels: labels.map { Int32($0) }, probabilities: .float64(values))
    }
    guard let rows = try model("probs") else { throw Missing(column: "probs", file: path) }
    self.columns = columns
    self.rows = rows
    others = try ["probs2", "probs3"].compactMap(model)
    found = try LabelIssues.find(rows)
    var statistics = ClassStatistics(classes: rows.classes)
    try statistics.add(rows)
    self.statistics = statistics
    compareNumbers()
    try compareLatent()
    try compareQualities()
    try compareIssues()
  }

  struct Missing: Error {
    var column: String
    var file: String
  }

  private static func integers(_ array: NPYArray?) -> [Int] {
    guard case .int64(let values, _)? = array else { return [] }
    return values.map { Int($0) }
  }

  private mutating func expect(_ name: String, _ ours: [Double]) {
    let theirs: [Double]
    switch columns[name] {
    case .float64(let values, _): theirs = values
    case .int64(let values, _): theirs = values.map { Double($0) }
    default: return
    }
    compared += 1
    let isClose =
      ours.count == theirs.count
      && zip(ours, theirs).allSatisfy { abs($0 - $1) <= 1e-9 * max(1, abs($1)) }
    if !isClose {
      let first = zip(ours, theirs).enumerated().first { abs($1.0 - $1.1) > 1e-9 }
      differences.append("\(name): \(String(describing: first))")
    }
  }

  private mutating func compareNumbers() {
    expect("thresholds", found.model.thresholds)
    expect("confident_joint", found.model.confidentJoint.values.map { Double($0) })
    expect("calibrated_joint", found.model.calibratedJoint.values)
    expect("joint", found.model.joint.values)
    expect("issue_count", [Double(found.model.estimatedIssues)])
  }

  private mutating func compareLatent() throws {
    for method in LatentEstimates.PriorMethod.allCases {
      for converge in [false, true] {
        let name = "\(method.rawValue)|\(converge ? 1 : 0)"
        guard columns["prior|\(name)"] != nil else { continue }
        let estimates = try LatentEstimates(
          joint: found.model.calibratedJoint, labelCounts: found.model.labelCounts, prior: method,
          converge: converge)
        expect("prior|\(name)", estimates.prior)
        expect("noise|\(name)", estimates.noiseMatrix.values)
        expect("inverse|\(name)", estimates.inverseNoiseMatrix.values)
      }
    }
  }

  private mutating func compareQualities() throws {
    for quality in LabelQuality.allCases {
      for adjusted in [false, true] {
        let name = "\(quality.rawValue)|\(adjusted ? 1 : 0)"
        let adjustment = adjusted ? statistics.thresholds() : nil
        expect("quality|\(name)", try rows.qualities(quality, adjustment: adjustment))
        let weightings: [(String, EnsembleWeighting)] = [
          ("uniform", .uniform), ("accuracy", .accuracy), ("log_loss_search", .logLossSearch()),
          ("custom", .custom([1, 2, 3])),
        ]
        for (weighting, value) in weightings where columns["ensemble|\(name)|\(weighting)"] != nil {
          expect(
            "ensemble|\(name)|\(weighting)",
            try EnsembleQuality.scores(
              [rows] + others, quality: quality, adjusted: adjusted, weighting: value))
        }
      }
    }
  }

  private mutating func compareIssues() throws {
    for (name, array) in columns.sorted(by: { $0.key < $1.key }) {
      let parts = name.split(separator: "|").map(String.init)
      var options = LabelIssueOptions()
      guard parts.count > 1, let filter = LabelIssueFilter(rawValue: parts[1]) else { continue }
      options.filter = filter
      switch parts[0] {
      case "issues":
        options.fractionOfNoise = Double(parts[2]) ?? 1
        options.minimumPerClass = Int(parts[3]) ?? 1
        options.rank = LabelQuality(rawValue: parts[4]) ?? .selfConfidence
        options.adjustsRank = parts[5] == "1"
      case "removing": options.removedPerClass = Self.integers(columns["removed"])
      case "default": break
      default: continue
      }
      let issues = try LabelIssues.find(rows, options: options).issues
      let theirs = Self.integers(array)
      if parts[0] == "default" {
        if Set(issues.map(\.row)) != Set(theirs) { unstable.append(parts[1]) }
        continue
      }
      compared += 1
      try compare(issues, theirs, name, options)
    }
  }

  /// The same examples in the same order; where a score goes through sums or logarithms, neighbours whose scores agree
  /// to 1e-12 may stand the other way round.
  private mutating func compare(
    _ issues: [LabelIssue], _ theirs: [Int], _ name: String, _ options: LabelIssueOptions
  ) throws {
    let ours = issues.map(\.row)
    if ours == theirs { return }
    let isExact = !options.adjustsRank && options.rank != .confidenceWeightedEntropy
    if !isExact, ours.sorted() == theirs.sorted() {
      let scores = try rows.qualities(
        options.rank, adjustment: options.adjustsRank ? statistics.thresholds() : nil)
      if zip(ours, theirs).allSatisfy({ abs(scores[$0] - scores[$1]) <= 1e-12 }) { return }
    }
    differences.append("\(name): ours \(ours.prefix(20)), cleanlab's \(theirs.prefix(20))")
  }
}
