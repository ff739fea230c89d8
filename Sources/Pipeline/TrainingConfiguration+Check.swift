import Encoders
import Layers
import Training

extension TrainingConfiguration {
  /// Refuses values that the encoders can't be built from or trained with.
  func check() throws(RunError) {
    func need(_ condition: Bool, _ text: String) throws(RunError) {
      if !condition { throw .usage("judges.\(text)") }
    }
    try need(folds >= 2, "folds must be at least 2: a pair is judged by members that didn't see it")
    try need(epochs >= 1, "epochs must be at least 1")
    try need(batchSize >= 2, "batchSize must be at least 2")
    try need(selectionRounds >= 0, "selectionRounds must not be negative")
    try need(selectionEpochs >= 1, "selectionEpochs must be at least 1")
    try need(minimumSteps >= 0, "minimumSteps must not be negative")
    try need(
      distrustQuantile >= 0 && distrustQuantile < 1, "distrustQuantile must lie in 0 ..< 1")
    try need(maxPairs >= 1, "maxPairs must be at least 1")
    try need(bankSize >= 2, "bankSize must be at least 2")
    try optimiser.check()
    try augmentation.check()
    try need(!members.isEmpty, "members must name at least one")
    try need(Set(members.map(\.name)).count == members.count, "members must have different names")
    for member in members {
      do {
        try member.check()
      } catch {
        throw .usage("judges.members: \(error)")
      }
    }
  }
}

extension AdamW.Settings {
  fileprivate func check() throws(RunError) {
    try need(
      "optimiser.peakRate", peakRate, from: .leastNormalMagnitude, to: .greatestFiniteMagnitude)
    try need("optimiser.beta1", beta1, from: 0, to: Float(1).nextDown)
    try need("optimiser.beta2", beta2, from: 0, to: Float(1).nextDown)
    try need("optimiser.epsilon", epsilon, from: .leastNormalMagnitude, to: 1)
    try need("optimiser.decay", decay, from: 0, to: .greatestFiniteMagnitude)
    try need("optimiser.clip", clip, from: .leastNormalMagnitude, to: .greatestFiniteMagnitude)
    try need("optimiser.warmUp", warmUp, from: 0, to: Float(1).nextDown)
    try need("optimiser.floor", floor, from: 0, to: 1)
    try need("optimiser.averaging", averaging, from: 0, to: Float(1).nextDown)
  }
}

extension Augmentation {
  fileprivate func check() throws(RunError) {
    try need("augmentation.smallestCrop", smallestCrop, from: .leastNormalMagnitude, to: 1)
    try need("augmentation.mirror", mirror, from: 0, to: 1)
    try need("augmentation.colour", colour, from: 0, to: Float(1).nextDown)
    try need("augmentation.wordDropout", wordDropout, from: 0, to: Float(1).nextDown)
  }
}

private func need(
  _ name: String, _ value: Float, from low: Float, to high: Float
) throws(RunError) {
  guard value >= low, value <= high else {
    throw .usage("judges.\(name) is \(value), but must be at least \(low) and at most \(high)")
  }
}
