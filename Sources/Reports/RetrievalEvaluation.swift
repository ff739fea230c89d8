import Foundation
import Pipeline

/// Image-text retrieval in both directions: `winnow eval retrieval`.
///
/// Equal images (by their bytes) are one query and one candidate, and so are equal captions; see `RetrievalPairs`.
public struct RetrievalEvaluation: Codable, Sendable, Equatable {
  public var formatVersion = 1
  public var pairs: Int
  public var imageToText: RetrievalFigures
  public var textToImage: RetrievalFigures
  /// Samples left out, by reason.
  public var leftOut: [String: Int]

  /// - Throws: `EvaluationError` without a pair.
  public init(_ encoded: EncodedPairs, workers: Int) throws {
    let rows = encoded.keys.count
    try self.init(
      images: Embeddings(rows: rows, columns: encoded.dimension, values: encoded.images),
      texts: Embeddings(rows: rows, columns: encoded.dimension, values: encoded.texts),
      pairs: RetrievalPairs(encoded.hashes.map(\.image), encoded.captions),
      leftOut: encoded.leftOut,
      workers: workers)
  }

  /// Embeddings from elsewhere: nothing is known of the images, so every row is one of its own, and so with captions where
  /// there is no metadata.
  public init(_ folder: EmbeddingFolder, workers: Int) throws {
    let rows = Array(0..<folder.images.rows)
    try self.init(
      images: folder.images.unitRows(), texts: folder.texts.unitRows(),
      pairs: folder.captions.map { RetrievalPairs(rows, $0) } ?? RetrievalPairs(rows, rows),
      leftOut: [:], workers: workers)
  }

  init(
    images: Embeddings, texts: Embeddings, pairs: RetrievalPairs, leftOut: [String: Int],
    workers: Int
  ) throws {
    guard images.rows > 0 else { throw EvaluationError("there is no pair to evaluate") }
    self.pairs = images.rows
    (imageToText, textToImage) = try pairs.figures(images, texts, workers: workers)
    self.leftOut = leftOut
  }

  /// A table.
  public var text: String {
    var lines = [("pairs", "\(pairs)")]
    for (reason, count) in leftOut.sorted(by: { $0.key < $1.key }) {
      lines.append(("  left out: \(reason)", "\(count)"))
    }
    return aligned(lines) + "\n"
      + RetrievalFigures.table([("image -> text", imageToText), ("text -> image", textToImage)])
  }

  public func json() throws -> String { try reportJSON(self) }
}

extension RetrievalPairs {
  /// Both directions.
  /// - Parameters:
  ///   - first: the embeddings of the pairs' first sides, row for row; `second` likewise.
  public func figures(
    _ first: Embeddings, _ second: Embeddings, workers: Int
  ) throws -> (there: RetrievalFigures, back: RetrievalFigures) {
    let (a, b) = (first.taking(firstRows), second.taking(secondRows))
    let there = try Retrieval.ranks(of: a, among: b, right: secondsOfFirst, workers: workers)
    let back = try Retrieval.ranks(of: b, among: a, right: firstsOfSecond, workers: workers)
    return (
      RetrievalFigures(ranks: there, candidates: b.rows),
      RetrievalFigures(ranks: back, candidates: a.rows)
    )
  }
}

extension RetrievalFigures {
  /// A line a direction.
  static func table(_ rows: [(name: String, figures: RetrievalFigures)]) -> String {
    let header = line("", "queries", "candidates", "R@1", "R@5", "R@10", "median rank")
    return
      ([header]
      + rows.map { name, it in
        line(
          name, "\(it.queries)", "\(it.candidates)", percent(it.recallAt1), percent(it.recallAt5),
          percent(it.recallAt10), String(format: "%.1f", it.medianRank))
      }).joined(separator: "\n")
  }

  private static func percent(_ share: Double) -> String { String(format: "%.1f %%", 100 * share) }

  private static func line(_ name: String, _ cells: String...) -> String {
    cells.reduce(name.padding(toLength: 16, withPad: " ", startingAt: 0)) { line, cell in
      line + String(repeating: " ", count: max(1, 12 - cell.count)) + cell
    }
  }
}
