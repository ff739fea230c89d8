import Foundation

/// How the models of an ensemble are weighed against each other.
public enum EnsembleWeighting: Sendable, Equatable {
  /// All alike.
  case uniform
  /// By the share of given labels that a model predicts. The default.
  case accuracy
  /// By exp(-t * log loss), t being that of these temperatures whose weighted mean of the probabilities has the least log
  /// loss; the first of equals.
  case logLossSearch(temperatures: [Double] = [1e-4, 1e-3, 1e-2, 1e-1, 1, 10, 100, 200])
  /// By weights of one's own, one a model; used as they are.
  case custom([Double])
}

/// The quality of the given labels as several models judge it. cleanlab's `get_label_quality_ensemble_scores`.
public enum EnsembleQuality {
  /// The weighted mean of the models' scores, `[n]`.
  ///
  /// - Parameters:
  ///   - models: the same rows as each model judges them.
  ///   - adjusted: whether each model's probabilities are adjusted by its own thresholds; see `LabelledRows.qualities`.
  /// - Throws: what the parts throw, and `.parameter` for no model, models of different rows, a wrong number of weights,
  ///   weights that sum to 0 (no model predicts any label), a log loss over labels that lack a class.
  public static func scores(
    _ models: [LabelledRows], quality: LabelQuality = .selfConfidence, adjusted: Bool = false,
    weighting: EnsembleWeighting = .accuracy
  ) throws(ClassLabelError) -> [Double] {
    guard let first = models.first else { throw .parameter("an ensemble of no models") }
    guard models.allSatisfy({ $0.labels == first.labels && $0.classes == first.classes }) else {
      throw .parameter("the models of an ensemble judge the same rows and classes")
    }
    let weights = try weights(of: models, weighting)
    var scores = [Double](repeating: 0, count: first.labels.count)
    for (model, weight) in zip(models, weights) {
      var statistics = ClassStatistics(classes: model.classes)
      try statistics.add(model)
      let adjustment = adjusted ? statistics.thresholds() : nil
      let own = try model.qualities(quality, adjustment: adjustment)
      for row in scores.indices { scores[row] += weight * own[row] }
    }
    return scores
  }

  /// One a model; sum 1 unless they are one's own.
  public static func weights(
    of models: [LabelledRows], _ weighting: EnsembleWeighting
  ) throws(ClassLabelError) -> [Double] {
    let raw: [Double]
    switch weighting {
    case .custom(let weights):
      guard weights.count == models.count else {
        throw .parameter("\(weights.count) weights for \(models.count) models")
      }
      return weights
    case .uniform: raw = models.map { _ in 1 }
    case .accuracy: raw = models.map(accuracy)
    case .logLossSearch(let temperatures): raw = try searchedWeights(models, temperatures)
    }
    let sum = raw.reduce(0, +)
    guard sum > 0 else { throw .parameter("the weights of the ensemble's models sum to \(sum)") }
    return raw.map { $0 / sum }
  }

  private static func accuracy(_ model: LabelledRows) -> Double {
    func right<Scalar: ProbabilityScalar>(_ values: [Scalar]) -> Int {
      model.forEachRow(values) { row, label in PlainRow.likeliest(row) == label }.count { $0 }
    }
    let count =
      switch model.probabilities {
      case .float32(let values): right(values)
      case .float64(let values): right(values)
      }
    return Double(count) / Double(max(1, model.labels.count))
  }

  private static func searchedWeights(
    _ models: [LabelledRows], _ temperatures: [Double]
  ) throws(ClassLabelError) -> [Double] {
    let labels = models[0].labels
    let classes = models[0].classes
    guard Set(labels).count == classes else {
      throw .parameter("a search by log loss needs every class among the labels")
    }
    let probabilities = models.map(\.widened)
    let losses = probabilities.map { logLoss(clippedRows($0, classes: classes), labels, classes) }
    var best: (loss: Double, weights: [Double])?
    for temperature in temperatures {
      let raw = losses.map { exp(-temperature * $0) }
      let weights = raw.map { $0 / raw.reduce(0, +) }
      var mean = [Double](repeating: 0, count: labels.count * classes)
      for (weight, values) in zip(weights, probabilities) {
        for index in mean.indices { mean[index] += weight * values[index] }
      }
      let loss = logLoss(mean, labels, classes)
      if loss < best?.loss ?? .infinity { best = (loss, weights) }
    }
    guard let best else { throw .parameter("no temperature gives the ensemble finite weights") }
    return best.weights
  }

  /// No probability below 1e-6, rows scaled to sum 1.
  private static func clippedRows(_ values: [Double], classes: Int) -> [Double] {
    var result = values.map { max($0, 1e-6) }
    for start in stride(from: 0, to: result.count, by: classes) {
      let sum = pairwiseSum(Array(result[start..<start + classes]))
      for index in start..<start + classes { result[index] /= sum }
    }
    return result
  }

  /// The mean of -log P(given label), P clipped to eps...1 - eps as scikit-learn does.
  private static func logLoss(_ values: [Double], _ labels: [Int32], _ classes: Int) -> Double {
    let losses = labels.enumerated().map { row, label in
      let probability = values[row * classes + Int(label)]
      return -log(min(max(probability, .ulpOfOne), 1 - .ulpOfOne))
    }
    return pairwiseSum(losses) / Double(labels.count)
  }
}

extension LabelledRows {
  fileprivate var widened: [Double] {
    switch probabilities {
    case .float32(let values): values.map { Double($0) }
    case .float64(let values): values
    }
  }
}
