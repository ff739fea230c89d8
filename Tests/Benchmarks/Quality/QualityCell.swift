/// A corpus with known mismatches, and a seed that decides them and the judges.
struct QualityCell: Codable, Sendable, Hashable {
  enum Corpus: String, Codable, Sendable, CaseIterable {
    /// Clip art and stamps; the default grid takes its first pairs.
    case sample
    /// Clip art without the titles that name a collection.
    case titles
    case stampsEnglish = "stamps-english"
    case stampsChinese = "stamps-chinese"

    /// Mismatches that the corpus brings along: 5 of the 204 pairs in `hand-checked.tsv`; no stamp is known to be one.
    var naturalNoise: Double {
      switch self {
      case .sample, .titles: 5.0 / 204
      case .stampsEnglish, .stampsChinese: 0
      }
    }
  }

  enum Kind: String, Codable, Sendable { case random, category, both }

  var corpus: Corpus
  var kind: Kind
  /// Share of captions swapped.
  var level: Double
  var seed: UInt64
  /// Pairs taken; nil for all.
  var limit: Int?

  /// `sample-random-0.3-1`
  var name: String { "\(corpus.rawValue)-\(kind.rawValue)-\(level)-\(seed)" }

  /// What is told as one block: all seeds.
  var block: String {
    "\(corpus.rawValue), \(kind.rawValue) swaps, \(Int((100 * level).rounded())) %"
  }

  /// Seed by seed, so that a run that is cut short has whole blocks to compare.
  static func grid(seeds: [UInt64], limit: Int?) -> [QualityCell] {
    let levels = [0, 0.1, 0.2, 0.3, 0.5]
    return seeds.flatMap { seed in
      func cell(_ corpus: Corpus, _ kind: Kind, _ level: Double) -> QualityCell {
        QualityCell(
          corpus: corpus, kind: kind, level: level, seed: seed,
          limit: corpus == .sample || corpus == .titles ? limit : nil)
      }
      var cells = levels.map { cell(.sample, .random, $0) }
      cells += [cell(.sample, .both, 0.3), cell(.sample, .category, 0.3)]
      cells += levels.map { cell(.stampsEnglish, .random, $0) }
      cells += [cell(.stampsChinese, .random, 0), cell(.stampsChinese, .random, 0.2)]
      cells.append(cell(.titles, .random, 0))
      return cells
    }
  }
}

/// What was measured of one way of judging: a row of a block. Figures that a way doesn't have are nil.
struct QualityRow: Codable, Sendable, Equatable {
  var method: String
  var auroc: Double?
  var averagePrecision: Double?
  /// Of its own cut.
  var precision: Double?
  var recall: Double?
  var dropped: Double?
  var noiseRate: Double?
  var low: Double?
  var high: Double?
  /// Of `mismatch`, less what right probabilities show at this number of pairs.
  var excessCalibrationError: Double?
  /// Swapped pairs among those kept, when as many are kept as the default keeps.
  var noiseAtEqualKeep: Double?
}

/// `cells/NAME.json`.
struct QualityResult: Codable, Sendable, Equatable {
  /// What `--max-noise` came to.
  struct Limit: Codable, Sendable, Equatable {
    var asked: Double
    var reachable: Bool
    var keptNoise: Double
    var kept: Double
  }

  var formatVersion = 1
  var cell: QualityCell
  /// Of everything that decides the result.
  var settings: String
  var pairs: Int
  /// Swapped pairs, and with them the corpus' own mismatches as the hand check has them.
  var swapped: Double
  var truth: Double
  var rows: [QualityRow]
  var limits: [Limit]
  /// Of the hand-checked pairs: how many of each verdict were judged, and how many of those dropped.
  var checked: [String: [Int]]
  var seconds: Double
}
