/// How many pairs each epoch goes through, and thus which step belongs to which epoch. All of it is known before
/// training, since the learning rate follows a schedule over all steps.
struct EpochPlan: Equatable {
  /// Pairs in a step.
  let batch: Int
  /// Pairs that each epoch chooses from.
  let sizes: [Int]
  /// For each epoch, the first step after it.
  private let ends: [Int]

  /// - Parameters:
  ///   - pairs: at least two; of fewer nothing is learnt.
  ///   - minimumSteps: a corpus too small for this many in `epochs` epochs is seen more often.
  ///   - keep: the share of the pairs that an epoch leaves to the next one, but for the first (Ensemble Confident
  ///     Learning's schedule); nil for all.
  init(pairs: Int, batchSize: Int, epochs: Int, minimumSteps: Int, keep: Double?) {
    // A small corpus is cut into at least eight batches, as far as sixteen pairs make one.
    let batch = max(1, min(batchSize, max(16, pairs / 8), pairs))
    let perEpoch = max(1, pairs / batch)
    var left = pairs
    var (sizes, ends) = ([Int](), [Int]())
    for epoch in 0..<max(epochs, (minimumSteps + perEpoch - 1) / perEpoch) {
      sizes.append(left)
      ends.append((ends.last ?? 0) + left / batch)
      if let keep, epoch > 0 { left = max(batch, Int(Double(left) * keep)) }
    }
    (self.batch, self.sizes, self.ends) = (batch, sizes, ends)
  }

  /// All steps.
  var steps: Int { ends.last ?? 0 }

  /// The epoch of a step (from 0), and the step's number within it.
  func place(of step: Int) -> (epoch: Int, number: Int) {
    var (low, high) = (0, ends.count)
    while low < high {
      let middle = (low + high) / 2
      if ends[middle] <= step { low = middle + 1 } else { high = middle }
    }
    let start = low > 0 ? ends[low - 1] : 0
    return (low, step - start)
  }

  /// The number, from 1, of the snapshot that is due after so many steps, the last of `count`, the trained model itself,
  /// left out; nil where none is due.
  func snapshot(after step: Int, of count: Int) -> Int? {
    let number = step * count / steps
    return step > 0 && step < steps && number > (step - 1) * count / steps ? number : nil
  }
}
