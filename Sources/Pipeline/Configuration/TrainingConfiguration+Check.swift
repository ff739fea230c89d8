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
    try need(
      (2...1000).contains(folds) || folds == 1 && ecl != nil && selectionRounds == 0,
      "folds must lie in 2 ... 1000: a pair is judged by members that didn't see it (1 only for ecl without selectionRounds)"
    )
    try need((0...100).contains(selectionRounds), "selectionRounds must lie in 0 ... 100")
    try need(countable.contains(selectionEpochs), "selectionEpochs must lie in 1 ... 1048576")
    try need((0...(1 << 20)).contains(minimumSteps), "minimumSteps must lie in 0 ... 1048576")
    try need(
      distrustQuantile >= 0 && distrustQuantile < 1, "distrustQuantile must lie in 0 ..< 1")
    try need((2...mostPairs).contains(bankSize), "bankSize must lie in 2 ... \(mostPairs)")
    // A pair of it takes a dozen values in ensemble.json, of which a million are read; trained judges have an eighth at most.
    let isTrained = members.contains { $0.pretrained == nil }
    try need(
      (isTrained ? min(bankSize, maxPairs / 8) : bankSize) <= 50_000,
      "the bank can't have more than 50000 pairs: set bankSize to that at most")
    try checkLearning(
      "judges", epochs: epochs, batchSize: batchSize, maxPairs: maxPairs, queue: queue, ecl: ecl,
      optimiser, augmentation)
    try need(!members.isEmpty, "members must name at least one")
    for member in members {
      do {
        try member.check()
      } catch {
        throw .usage("judges.members: \(error)")
      }
      try need(
        member.pretrained != nil || member.text.tokens == .words || member.text.vocabulary != nil,
        "members: '\(member.name)' needs text.vocabulary, the folder of its tokenizer")
    }
    try checkNames()
  }

  /// An ensemble's folder holds a file or folder for each kind of member; what training keeps has its names too.
  private func checkNames() throws(RunError) {
    // As `ensemble.json` has them: each snapshot is a kind.
    let kinds = members.flatMap { member in
      (0..<(member.pretrained == nil ? member.snapshots : 1)).map {
        $0 == 0 ? member.name : "\(member.name).\($0)"
      }
    }
    guard kinds.count * folds <= 1000 else {
      throw .usage(
        "judges: \(folds) folds of \(kinds.count) kinds, at most 1000 members are possible")
    }
    guard Set(kinds).count == kinds.count else {
      throw .usage("judges.members must have different names, those of snapshots (NAME.1) included")
    }
    for name in kinds where name == "clusters" || name.wholeMatch(of: /round[0-9]+\..*/) != nil {
      throw .usage("judges.members: the name '\(name)' is taken for a file of Winnow's own")
    }
  }
}

extension ModelTrainingConfiguration {
  /// Refuses values that the model can't be built from or trained with.
  func check() throws(RunError) {
    func need(_ condition: Bool, _ text: String) throws(RunError) {
      if !condition { throw .usage("train.\(text)") }
    }
    try need((1...1024).contains(lanes), "lanes must lie in 1 ... 1024")
    try need(mlm.weight > 0 && mlm.weight.isFinite, "mlm.weight must be above 0")
    try need(countable.contains(mlm.batchSize), "mlm.batchSize must lie in 1 ... 1048576")
    try need(mlm.share > 0 && mlm.share <= 1, "mlm.share must lie in 0 ... 1")
    try need((0...1).contains(mlm.masked), "mlm.masked must lie in 0 ... 1")
    try need((0...1e9).contains(checkpointSeconds), "checkpointSeconds must lie in 0 ... 1e9")
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
    try checkLearning(
      "train", epochs: epochs, batchSize: batchSize, maxPairs: maxPairs, queue: queue, ecl: ecl,
      optimiser, augmentation)
    do {
      try model.check()
    } catch {
      throw .usage("train.model: \(error)")
    }
  }
}

/// Far above any use; it keeps sizes from overflowing.
private let mostPairs = 1 << 40
private let countable = 1...(1 << 20)

/// What judges and model have in common.
private func checkLearning(
  _ section: String, epochs: Int, batchSize: Int, maxPairs: Int, queue: Int,
  ecl: EnsembleSchedule?, _ optimiser: AdamW.Settings, _ augmentation: Augmentation
) throws(RunError) {
  guard countable.contains(epochs) else {
    throw .usage("\(section).epochs must lie in 1 ... 1048576")
  }
  guard (2...(1 << 20)).contains(batchSize) else {
    throw .usage("\(section).batchSize must lie in 2 ... 1048576")
  }
  guard (1...mostPairs).contains(maxPairs) else {
    throw .usage("\(section).maxPairs must lie in 1 ... \(mostPairs)")
  }
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
