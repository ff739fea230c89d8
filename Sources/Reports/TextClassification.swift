/// How well labels can be told from embeddings, by k-fold cross-validation: every row is predicted once, by what was
/// fitted on other folds, and the figures are over all predictions together.
public struct TextClassification: Codable, Sendable, Equatable {
  public struct Figures: Codable, Sendable, Equatable {
    public var accuracy: Double
    public var macroF1: Double

    enum CodingKeys: String, CodingKey {
      case accuracy
      case macroF1 = "macro_f1"
    }

    init(predicted: [Int], truth: [Int]) {
      accuracy = ClassificationMetrics.accuracy(predicted: predicted, truth: truth) ?? 0
      macroF1 = ClassificationMetrics.macroF1(predicted: predicted, truth: truth) ?? 0
    }
  }

  public struct Options: Sendable {
    public var folds: Int
    public var seed: UInt64 = 0
    /// Rows that vote in kNN.
    public var neighbours = 10
    /// The linear probe's C; nil chooses it for each fold on a fifth of the rows that are fitted on.
    public var strength: Double?
    public var workers = 1

    public init(folds: Int = 5) { self.folds = folds }
  }

  public var texts: Int
  public var classes: Int
  /// The accuracy of always answering the largest class.
  public var majority: Double
  public var folds: Int
  public var neighbours: Int
  public var linearProbe: Figures
  public var nearestNeighbours: Figures

  enum CodingKeys: String, CodingKey {
    case texts, classes, majority, folds, neighbours
    case linearProbe = "linear_probe"
    case nearestNeighbours = "nearest_neighbours"
  }

  /// - Parameters:
  ///   - embeddings: rows of any length; they are scaled to length 1.
  ///   - labels: for each row its label.
  ///   - groups: for each row a number; rows that share it (equal texts) stay in one fold.
  /// - Throws: `EvaluationError` with fewer than two classes, or fewer groups than folds.
  public init(
    _ embeddings: Embeddings, labels: [String], groups: [Int], options: Options
  ) throws {
    let names = Set(labels).sorted()
    let numbers = Dictionary(uniqueKeysWithValues: zip(names, names.indices))
    let truth = labels.map { numbers[$0] ?? 0 }
    guard names.count > 1 else {
      throw EvaluationError("\(names.count) different labels: classification needs at least two")
    }
    guard Set(groups).count >= options.folds else {
      throw EvaluationError(
        "\(Set(groups).count) different texts are too few for \(options.folds) folds")
    }
    let x = embeddings.unitRows()
    let validation = CrossValidation(
      labels: truth, groups: groups, count: options.folds, seed: options.seed)
    let probed = try validation.predictions(workers: options.workers) { fit, test in
      let labels = fit.map { truth[$0] }
      let rows = x.taking(fit)
      let strength =
        options.strength
        ?? Self.bestStrength(
          rows, labels, fit.map { groups[$0] }, classes: names.count, seed: options.seed)
      return LogisticRegression(rows, labels: labels, classes: names.count, strength: strength)
        .predict(x.taking(test))
    }
    let voted = try validation.predictions(workers: options.workers) { fit, test in
      NearestNeighbours(
        x.taking(fit), labels: fit.map { truth[$0] }, classes: names.count,
        count: options.neighbours
      ).predict(x.taking(test))
    }
    texts = labels.count
    classes = names.count
    let largest = Dictionary(grouping: truth) { $0 }.values.map(\.count).max() ?? 0
    majority = Double(largest) / Double(truth.count)
    folds = options.folds
    neighbours = options.neighbours
    linearProbe = Figures(predicted: probed, truth: truth)
    nearestNeighbours = Figures(predicted: voted, truth: truth)
  }

  /// Of a few values of C the one with the best accuracy on a fifth that was held out; of equal ones the smallest.
  private static func bestStrength(
    _ x: Embeddings, _ labels: [Int], _ groups: [Int], classes: Int, seed: UInt64
  ) -> Double {
    let split = CrossValidation(labels: labels, groups: groups, count: 5, seed: seed &+ 1).split(0)
    guard !split.fit.isEmpty, !split.test.isEmpty else { return 1 }
    let (fit, test) = (x.taking(split.fit), x.taking(split.test))
    let truth = split.test.map { labels[$0] }
    var best = (strength: 1.0, hits: -1)
    var probe: LogisticRegression?
    for strength in [0.1, 1, 10, 100, 1000] {
      let next = LogisticRegression(
        fit, labels: split.fit.map { labels[$0] }, classes: classes, strength: strength,
        from: probe, tolerance: 1e-4)
      probe = next
      let hits = zip(next.predict(test), truth).count { $0 == $1 }
      if hits > best.hits { best = (strength, hits) }
    }
    return best.strength
  }
}

/// What can't be evaluated, and why.
public struct EvaluationError: Error, Equatable, CustomStringConvertible {
  public var description: String

  init(_ description: String) { self.description = description }
}
