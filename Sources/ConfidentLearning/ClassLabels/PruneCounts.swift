/// How many examples of each class are flagged.
struct PruneCounts: Sendable, Equatable {
  /// By given class (row) and true class (column), off the diagonal.
  var byNoiseRate: ClassMatrix<Int>
  /// By given class, `[K]`.
  var byClass: [Int]

  init(_ model: ClassNoiseModel, options: LabelIssueOptions) {
    switch model.rules {
    case .cleanlab: self.init(cleanlab: model, options)
    case .paper: self.init(paper: model, options)
    }
  }

  /// The joint's cells, rounded: methods 3 and 4 of the paper's section 3.2.
  private init(paper model: ClassNoiseModel, _ options: LabelIssueOptions) {
    let classes = model.labelCounts.count
    byNoiseRate = ClassMatrix(classes: classes, repeating: 0)
    byClass = []
    for given in 0..<classes {
      let row = Array(model.calibratedJoint.row(given))
      let wrong = row.enumerated().reduce(0) { $0 + ($1.offset == given ? 0 : $1.element) }
      var scale = options.fractionOfNoise
      if let removed = options.removedPerClass {
        scale = wrong > 0 ? Double(removed[given]) / wrong : 0
      }
      for actual in 0..<classes where actual != given {
        byNoiseRate[given, actual] = Int((row[actual] * scale).rounded())
      }
      byClass.append(options.removedPerClass?[given] ?? Int((wrong * scale).rounded()))
    }
  }

  private init(cleanlab model: ClassNoiseModel, _ options: LabelIssueOptions) {
    let classes = model.labelCounts.count
    var counts = Self.keepingAtLeast(
      options.minimumPerClass, of: model.calibratedJoint, fraction: options.fractionOfNoise)
    if let removed = options.removedPerClass {
      counts = Self.removing(removed, counts, labelCounts: model.labelCounts)
    }
    byNoiseRate = counts
    byClass = (0..<classes).map { model.labelCounts[$0] - counts[$0, $0] }
    // Neither a class that is too small nor a class of one is pruned.
    for given in 0..<classes where model.labelCounts[given] <= max(1, options.minimumPerClass) {
      byClass[given] = 0
      for actual in 0..<classes { byNoiseRate[given, actual] = 0 }
    }
    for k in 0..<classes { byNoiseRate[k, k] = 0 }
  }

  /// Raises each diagonal cell to `minimum` at the cost of the row's other cells, all by the same, and keeps `fraction` of
  /// these; what they lose, the diagonal gains.
  private static func keepingAtLeast(
    _ minimum: Int, of joint: ClassMatrix<Double>, fraction: Double
  ) -> ClassMatrix<Int> {
    let classes = joint.classes
    var result = ClassMatrix(classes: classes, repeating: 0)
    for given in 0..<classes {
      let row = joint.row(given)
      let kept = max(joint[given, given], Double(minimum))
      let others = max(Double(row.count { $0 != 0 }) - 1, 1)
      let each = (kept - joint[given, given]) / others
      var lost = [Double](repeating: 0, count: classes)
      for (actual, value) in row.enumerated() where actual != given {
        let before = max(value - each, 0)
        let after = before * fraction
        lost[actual] = before - after
        result[given, actual] = Int(after)
      }
      result[given, given] = Int(kept + pairwiseSum(lost))
    }
    return result
  }

  /// Scales the counts so that `removed` go; cleanlab's formula as it stands, which divides by the sums of the true
  /// classes.
  private static func removing(
    _ removed: [Int], _ counts: ClassMatrix<Int>, labelCounts: [Int]
  ) -> ClassMatrix<Int> {
    let classes = counts.classes
    let sums = counts.columnSums
    var result = ClassMatrix(classes: classes, repeating: 0)
    for actual in 0..<classes {
      let shares = (0..<classes).map { Double(counts[$0, actual]) / Double(sums[$0]) }
      let noise = pairwiseSum(shares) - shares[actual]
      var scaled = shares.map { $0 * Double(removed[actual]) / noise }
      scaled[actual] = Double(labelCounts[actual] - removed[actual])
      // Without noise, 0 / 0: nothing but the diagonal.
      let isWhole = scaled.allSatisfy(\.isFinite)
      let rounded = roundedPreservingSum(scaled.map { $0.isFinite ? $0 : 0 })
      for given in 0..<classes {
        result[given, actual] =
          isWhole || given == actual ? rounded[given] : 0
      }
    }
    return result
  }
}
