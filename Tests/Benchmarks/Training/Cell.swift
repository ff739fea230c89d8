import BenchmarkSupport
import Foundation
import Reports

/// One training: a set, with or without unpaired text, and a seed.
struct Cell: Codable, Sendable, Hashable {
  var set: TrainingSet
  var text: Bool
  var seed: UInt64

  /// `kept-text-0`
  var name: String { "\(set.rawValue)-\(text ? "text" : "plain")-\(seed)" }

  /// The grid, seed by seed, so that a run that is cut short has whole rows to compare.
  static func grid(seeds: [UInt64]) -> [Cell] {
    seeds.flatMap { seed in
      [false, true].flatMap { text in
        TrainingSet.allCases.map { Cell(set: $0, text: text, seed: seed) }
      }
    }
  }
}

/// What a training came to: `cells/NAME.json`.
struct CellResult: Codable, Sendable, Equatable {
  struct Point: Codable, Sendable, Equatable {
    /// Pairs that the model had learnt from, each counted as often as it was seen.
    var pairsSeen: Int
    var retrieval: RetrievalPoint

    enum CodingKeys: String, CodingKey {
      case retrieval
      case pairsSeen = "pairs_seen"
    }
  }

  var formatVersion = 1
  var cell: Cell
  /// Of everything that decides the result: a cell of other settings is made again.
  var settings: String
  var pairs: Int
  var epochs: Int
  /// Of training, evaluation apart.
  var seconds: Double
  /// Along training; the last one is the finished model.
  var curve: [Point]
  var classification: TextClassification

  enum CodingKeys: String, CodingKey {
    case cell, settings, pairs, epochs, seconds, curve, classification
    case formatVersion = "format_version"
  }

  /// Of the finished model.
  var final: RetrievalPoint? { curve.last?.retrieval }

  /// The best mean recall along training, and the pairs seen until then.
  var best: (recall: Double, pairsSeen: Double)? {
    curve.max { $0.retrieval.meanRecall < $1.retrieval.meanRecall }
      .map { ($0.retrieval.meanRecall, Double($0.pairsSeen)) }
  }

  /// The pairs seen until a mean recall was reached, on a straight line between two points; nil where it never was.
  func pairsSeen(untilRecall recall: Double) -> Double? {
    var before = (seen: 0.0, recall: 0.0)
    for point in curve {
      let here = (seen: Double(point.pairsSeen), recall: point.retrieval.meanRecall)
      if here.recall >= recall {
        let share =
          here.recall > before.recall ? (recall - before.recall) / (here.recall - before.recall) : 1
        return before.seen + max(0, min(1, share)) * (here.seen - before.seen)
      }
      before = here
    }
    return nil
  }
}

/// Results as files, so that a run goes on where it stopped.
struct CellCache {
  var folder: String

  func load(_ cell: Cell, settings: String) -> CellResult? {
    guard let data = FileManager.default.contents(atPath: path(cell)) else { return nil }
    let result = try? JSONDecoder().decode(CellResult.self, from: data)
    return result?.settings == settings ? result : nil
  }

  func store(_ result: CellResult) throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try json(result).write(to: URL(fileURLWithPath: path(result.cell)), options: .atomic)
  }

  private func path(_ cell: Cell) -> String { "\(folder)/\(cell.name).json" }
}
