import Foundation
import Pipeline
import TensorFiles

/// What text embeddings are good for: `winnow eval text`.
public struct TextEvaluation: Codable, Sendable, Equatable {
  /// Retrieval of texts by texts that mean the same.
  public struct Matching: Codable, Sendable, Equatable {
    public var pairs: Int
    public var textToMatch: RetrievalFigures
    public var matchToText: RetrievalFigures
  }

  public var formatVersion = 1
  public var retrieval: Matching?
  public var classification: TextClassification?

  public init() {}

  /// A table.
  public var text: String {
    var blocks: [String] = []
    if let retrieval {
      blocks.append(
        aligned([("pairs", "\(retrieval.pairs)")]) + "\n"
          + RetrievalFigures.table([
            ("text -> match", retrieval.textToMatch), ("match -> text", retrieval.matchToText),
          ]))
    }
    if let it = classification {
      func show(_ value: Double) -> String { String(format: "%.3f", value) }
      blocks.append(
        aligned([
          ("texts", "\(it.texts)"), ("classes", "\(it.classes)"), ("folds", "\(it.folds)"),
          ("largest class", show(it.majority)),
          ("linear probe, accuracy", show(it.linearProbe.accuracy)),
          ("linear probe, macro-F1", show(it.linearProbe.macroF1)),
          ("kNN (k = \(it.neighbours)), accuracy", show(it.nearestNeighbours.accuracy)),
          ("kNN (k = \(it.neighbours)), macro-F1", show(it.nearestNeighbours.macroF1)),
        ]))
    }
    return blocks.joined(separator: "\n\n")
  }

  public func json() throws -> String { try reportJSON(self) }
}

/// Texts that mean the same, side by side. Equal texts of a side are one query and one candidate.
public struct TextPairs: Sendable {
  private let pairs: RetrievalPairs
  private let texts: Embeddings
  private let matches: Embeddings

  /// - Parameters:
  ///   - table: a tab-separated file with the columns `text` and `match`.
  ///   - encode: texts to unit rows.
  /// - Throws: `TableError`; what `encode` throws.
  public init(table: String, encode: ([String]) throws -> Embeddings) throws {
    let rows = try TabSeparatedTable(table, kind: "text pairs", columns: ["text", "match"]).rows
    let (a, b) = (rows.map { $0.fields[0] }, rows.map { $0.fields[1] })
    pairs = RetrievalPairs(a, b)
    (texts, matches) = (try encode(a), try encode(b))
  }

  /// - Parameter path: an npz with the columns `text` and `match`, float `[pairs, dimension]`: every row is a text of its
  ///   own.
  /// - Throws: `EvaluationError`, `TensorFileError`.
  public init(npz path: String) throws {
    let columns = try NPZ.read(path, columns: ["text", "match"])
    func embeddings(_ name: String) throws -> Embeddings {
      guard let array = columns[name] else { throw EvaluationError("\(path): no column \(name)") }
      return try Embeddings(array, of: "\(path), \(name)").unitRows()
    }
    (texts, matches) = (try embeddings("text"), try embeddings("match"))
    guard (texts.rows, texts.columns) == (matches.rows, matches.columns) else {
      throw EvaluationError("\(path): text and match differ in shape")
    }
    pairs = RetrievalPairs(Array(0..<texts.rows), Array(0..<texts.rows))
  }

  /// - Throws: `EvaluationError` without a pair.
  public func evaluate(workers: Int) throws -> TextEvaluation.Matching {
    guard texts.rows > 0 else { throw EvaluationError("there is no pair of texts to evaluate") }
    let (there, back) = try pairs.figures(texts, matches, workers: workers)
    return .init(pairs: texts.rows, textToMatch: there, matchToText: back)
  }
}

/// Texts with a label each.
public struct LabelledTexts: Sendable {
  public let labels: [String]
  private let embeddings: Embeddings
  private let groups: [Int]

  /// - Parameters:
  ///   - table: a tab-separated file with the columns `text` and `label`.
  ///   - encode: texts to unit rows.
  /// - Throws: `TableError`; what `encode` throws.
  public init(table: String, encode: ([String]) throws -> Embeddings) throws {
    let rows = try TabSeparatedTable(table, kind: "labels", columns: ["text", "label"]).rows
    let texts = rows.map { $0.fields[0] }
    labels = rows.map { $0.fields[1] }
    embeddings = try encode(texts)
    groups = groupNumbers(texts)
  }

  /// - Parameters:
  ///   - embeddings: an npy, float `[texts, dimension]`; equal rows count as equal texts.
  ///   - labels: an npy of whole numbers or byte strings, `[texts]`.
  /// - Throws: `EvaluationError`, `TensorFileError`.
  public init(embeddings: String, labels: String) throws {
    let rows = try Embeddings(npy: embeddings)
    guard let data = FileManager.default.contents(atPath: labels) else {
      throw EvaluationError("\(labels): \(whyUnreadable(labels))")
    }
    switch try NPY.decode([UInt8](data), from: labels) {
    case .int64(let values, let shape) where shape.count == 1: self.labels = values.map { "\($0)" }
    case .uint8(let values, let shape) where shape.count == 1: self.labels = values.map { "\($0)" }
    case .bytes(let values): self.labels = values.map { String(decoding: $0, as: UTF8.self) }
    case .bool(let values): self.labels = values.map { "\($0)" }
    default:
      throw EvaluationError("\(labels): labels are whole numbers or byte strings with one axis")
    }
    guard self.labels.count == rows.rows else {
      throw EvaluationError("\(labels) has \(self.labels.count) labels for \(rows.rows) rows")
    }
    self.embeddings = rows
    groups = groupNumbers(
      (0..<rows.rows).map { rows.values[($0 * rows.columns)..<(($0 + 1) * rows.columns)] })
  }

  /// - Throws: `EvaluationError`.
  public func classify(_ options: TextClassification.Options) throws -> TextClassification {
    try TextClassification(embeddings, labels: labels, groups: groups, options: options)
  }
}
