import Layers

/// Labelled rows divided into folds, each predicted by what was fitted on the others.
struct CrossValidation: Sendable {
  /// For each row its fold.
  let folds: [Int]
  let count: Int

  /// Stratified and grouped: rows of one group (equal texts) share a fold, and each class is spread evenly over the folds
  /// as far as its groups allow. A group belongs to the class of its first row.
  /// - Parameters:
  ///   - labels: for each row its class.
  ///   - groups: for each row its group.
  ///   - count: folds, at least 2.
  ///   - seed: decides which group goes where.
  init(labels: [Int], groups: [Int], count: Int, seed: UInt64) {
    precondition(labels.count == groups.count && count >= 2)
    var firstRow: [Int: Int] = [:]
    for (row, group) in groups.enumerated() where firstRow[group] == nil { firstRow[group] = row }
    var order = firstRow.values.sorted()
    var random = SeededRandom(seed: seed)
    random.shuffle(&order)
    // Classes one after another, dealt out in one go, so that small classes don't all begin at fold 0.
    let byClass = Dictionary(grouping: order) { labels[$0] }
    var foldOfGroup: [Int: Int] = [:]
    for (place, row) in byClass.sorted(by: { $0.key < $1.key }).flatMap(\.value).enumerated() {
      foldOfGroup[groups[row]] = place % count
    }
    folds = groups.map { foldOfGroup[$0] ?? 0 }
    self.count = count
  }

  /// The rows that `fold` is predicted from, and the rows of `fold`.
  func split(_ fold: Int) -> (fit: [Int], test: [Int]) {
    (folds.indices.filter { folds[$0] != fold }, folds.indices.filter { folds[$0] == fold })
  }

  /// Predictions of all rows, folds in parallel.
  /// - Parameter predict: from the rows to fit on, the classes of the rows to test.
  func predictions(
    workers: Int, _ predict: @escaping @Sendable (_ fit: [Int], _ test: [Int]) throws -> [Int]
  ) throws -> [Int] {
    let parts = try parallelMap(count, workers: workers) { fold in
      let (fit, test) = split(fold)
      return fit.isEmpty || test.isEmpty ? [] : try predict(fit, test)
    }
    var result = [Int](repeating: 0, count: folds.count)
    for (fold, part) in parts.enumerated() {
      for (row, predicted) in zip(split(fold).test, part) { result[row] = predicted }
    }
    return result
  }
}
