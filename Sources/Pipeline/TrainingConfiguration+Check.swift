import Encoders
import Layers
import Text
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
    try checkLearning("judges", queue: queue, ecl: ecl, optimiser, augmentation)
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

extension ModelTrainingConfiguration {
  /// Refuses values that the model can't be built from or trained with.
  func check() throws(RunError) {
    func need(_ condition: Bool, _ text: String) throws(RunError) {
      if !condition { throw .usage("train.\(text)") }
    }
    try need(epochs >= 1, "epochs must be at least 1")
    try need(batchSize >= 2, "batchSize must be at least 2")
    try need((1...1024).contains(lanes), "lanes must lie in 1 ... 1024")
    try need(maxPairs >= 1, "maxPairs must be at least 1")
    try need(mlm.weight > 0 && mlm.weight.isFinite, "mlm.weight must be above 0")
    try need(mlm.batchSize >= 1, "mlm.batchSize must be at least 1")
    try need(mlm.share > 0 && mlm.share <= 1, "mlm.share must lie in 0 ... 1")
    try need((0...1).contains(mlm.masked), "mlm.masked must lie in 0 ... 1")
    try need(checkpointSeconds >= 0, "checkpointSeconds must not be negative")
    try need(logSteps >= 1, "logSteps must be at least 1")
    try need(model.pretrained == nil, "model can't be a pretrained one yet")
    try need(
      model.text.tokens == .words || model.text.maxTokens >= 3,
      "model.text.maxTokens must hold a token beside the start and the end")
    try need(
      model.text.tokens != .bytePairs || model.text.vocabulary != nil
        || model.text.vocabularySize >= BytePairTrainer.smallestVocabulary,
      "model.text.vocabularySize must be at least \(BytePairTrainer.smallestVocabulary)")
    try need(
      model.text.tokens != .wordPieces, "model.text.tokens must be words or bytePairs to train")
    try checkLearning("train", queue: queue, ecl: ecl, optimiser, augmentation)
    do {
      try model.check()
    } catch {
      throw .usage("train.model: \(error)")
    }
  }
}

/// What judges and model have in common.
private func checkLearning(
  _ section: String, queue: Int, ecl: EnsembleSchedule?, _ optimiser: AdamW.Settings,
  _ augmentation: Augmentation
) throws(RunError) {
  guard (0...(1 << 20)).contains(queue) else {
    throw .usage("\(section).queue must lie in 0 ... 1048576")
  }
  guard ecl.map({ $0.keep > 0 && $0.keep <= 1 }) ?? true else {
    throw .usage("\(section).ecl.keep must be above 0 and at most 1")
  }
  try optimiser.check(section)
  try augmentation.check(section)
}

extension AdamW.Settings {
  fileprivate func check(_ section: String) throws(RunError) {
    try need(
      "\(section).optimiser.peakRate", peakRate, from: .leastNormalMagnitude,
      to: .greatestFiniteMagnitude)
    try need(
      "\(section).optimiser.beta1", beta1, from: 0, to: Float(1).nextDown)
    try need(
      "\(section).optimiser.beta2", beta2, from: 0, to: Float(1).nextDown)
    try need(
      "\(section).optimiser.epsilon", epsilon, from: .leastNormalMagnitude, to: 1)
    try need(
      "\(section).optimiser.decay", decay, from: 0, to: .greatestFiniteMagnitude)
    try need(
      "\(section).optimiser.clip", clip, from: .leastNormalMagnitude, to: .greatestFiniteMagnitude)
    try need(
      "\(section).optimiser.warmUp", warmUp, from: 0, to: Float(1).nextDown)
    try need(
      "\(section).optimiser.floor", floor, from: 0, to: 1)
    try need(
      "\(section).optimiser.averaging", averaging, from: 0, to: Float(1).nextDown)
  }
}

extension Augmentation {
  fileprivate func check(_ section: String) throws(RunError) {
    try need(
      "\(section).augmentation.smallestCrop", smallestCrop, from: .leastNormalMagnitude, to: 1)
    try need(
      "\(section).augmentation.mirror", mirror, from: 0, to: 1)
    try need(
      "\(section).augmentation.colour", colour, from: 0, to: Float(1).nextDown)
    try need(
      "\(section).augmentation.wordDropout", wordDropout, from: 0, to: Float(1).nextDown)
  }
}

private func need(
  _ name: String, _ value: Float, from low: Float, to high: Float
) throws(RunError) {
  guard value >= low, value <= high else {
    throw .usage("\(name) is \(value), but must be at least \(low) and at most \(high)")
  }
}
