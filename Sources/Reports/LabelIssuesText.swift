import ConfidentLearning

extension LabelIssues {
  /// A summary in a few lines.
  ///
  /// - Parameter options: what was asked for.
  public func text(_ options: LabelIssueOptions) -> String {
    let rows = model.count
    let classes = model.labelCounts.count
    let missing = model.labelCounts.count { $0 == 0 }
    var lines = [
      "\(rows) examples, \(classes) classes"
        + (missing > 0 ? ", \(missing) of them never given" : "")
    ]
    if rows > 0 {
      lines.append(
        "estimated label noise: \(percent(model.noiseRate)), \(model.estimatedIssues) examples")
      let share = Double(issues.count) / Double(rows)
      lines.append("flagged by \(options.filter.rawValue): \(issues.count), \(percent(share))")
    }
    let confused = mostConfused
    if !confused.isEmpty {
      lines.append("most often (given -> true): " + confused.joined(separator: ", "))
    }
    return lines.joined(separator: "\n")
  }

  private func percent(_ share: Double) -> String {
    let tenths = Int((share * 1000).rounded())
    return "\(tenths / 10).\(tenths % 10) %"
  }

  /// The largest cells off the joint's diagonal.
  private var mostConfused: [String] {
    let joint = model.calibratedJoint
    let cells = joint.values.indices.filter {
      $0 / joint.classes != $0 % joint.classes && joint.values[$0] >= 1
    }
    return cells.sorted { (joint.values[$0], $1) > (joint.values[$1], $0) }.prefix(5).map {
      "\($0 / joint.classes) -> \($0 % joint.classes) \(Int(joint.values[$0].rounded()))"
    }
  }
}
