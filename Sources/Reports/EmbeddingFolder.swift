import Foundation
import Pipeline
import TensorFiles

/// Embeddings in clip-retrieval's layout: `img_emb/img_emb_N.npy` and `text_emb/text_emb_N.npy`, `[rows, dimension]`,
/// float16 or float32; row i of one belongs to row i of the other. `winnow embed` adds `metadata/metadata_N.jsonl`, an
/// object a row, whose `caption` tells which captions are equal.
public struct EmbeddingFolder: Sendable {
  public let images: Embeddings
  public let texts: Embeddings
  /// Of each row; nil without metadata.
  public let captions: [String]?

  /// - Throws: `EvaluationError` where the files don't go together; `TensorFileError`.
  public init(_ path: String) throws {
    images = try Self.read("\(path)/img_emb", prefix: "img_emb_")
    texts = try Self.read("\(path)/text_emb", prefix: "text_emb_")
    guard (images.rows, images.columns) == (texts.rows, texts.columns) else {
      throw EvaluationError(
        "\(path): img_emb holds [\(images.rows), \(images.columns)], text_emb "
          + "[\(texts.rows), \(texts.columns)]; both must come from one run of one model")
    }
    captions = try Self.captions("\(path)/metadata")
    guard captions.map({ $0.count == images.rows }) ?? true else {
      throw EvaluationError(
        "\(path)/metadata has \(captions?.count ?? 0) lines for \(images.rows) rows")
    }
  }

  private static func captions(_ folder: String) throws -> [String]? {
    struct Line: Decodable { var caption: String }
    let files = numbered(folder, prefix: "metadata_", suffix: ".jsonl")
    guard !files.isEmpty else { return nil }
    let decoder = JSONDecoder()
    return try files.flatMap { file -> [String] in
      guard let data = FileManager.default.contents(atPath: file) else {
        throw EvaluationError("\(file): \(whyUnreadable(file))")
      }
      return try data.split(separator: 0x0A).map {
        guard let line = try? decoder.decode(Line.self, from: Data($0)) else {
          throw EvaluationError("\(file): a line is no JSON object with a caption")
        }
        return line.caption
      }
    }
  }

  /// Paths of the files `PREFIX N SUFFIX`, in order of N.
  private static func numbered(_ folder: String, prefix: String, suffix: String) -> [String] {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return files.compactMap { file -> (number: Int, path: String)? in
      guard file.hasPrefix(prefix), file.hasSuffix(suffix),
        let number = Int(file.dropFirst(prefix.count).dropLast(suffix.count))
      else { return nil }
      return (number, "\(folder)/\(file)")
    }.sorted { $0.number < $1.number }.map(\.path)
  }

  private static func read(_ folder: String, prefix: String) throws -> Embeddings {
    let files = numbered(folder, prefix: prefix, suffix: ".npy")
    guard !files.isEmpty else {
      throw EvaluationError("\(folder) holds no \(prefix)0.npy; is it clip-retrieval's layout?")
    }
    let parts = try files.map { try Embeddings(npy: $0) }
    let columns = parts[0].columns
    guard let odd = parts.firstIndex(where: { $0.columns != columns }) else {
      return Embeddings(
        rows: parts.reduce(0) { $0 + $1.rows }, columns: columns, values: parts.flatMap(\.values))
    }
    throw EvaluationError(
      "\(files[odd]) has \(parts[odd].columns) columns, the first \(columns)")
  }
}

extension Embeddings {
  /// - Throws: `EvaluationError` for anything but finite float rows; `TensorFileError`.
  public init(npy path: String) throws {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw EvaluationError("\(path): \(whyUnreadable(path))")
    }
    try self.init(try NPY.decode([UInt8](data), from: path), of: path)
  }

  /// - Parameter source: what errors name.
  init(_ array: NPYArray, of source: String) throws(EvaluationError) {
    // Rows without a column take no byte of the file, which may claim any number of them.
    guard case .float32(let values, let shape) = array, shape.count == 2, shape[1] >= 1 else {
      throw EvaluationError(
        "\(source): embeddings are [rows, dimension] in float16 or float32, dimension at least 1")
    }
    guard values.allSatisfy(\.isFinite) else {
      throw EvaluationError("\(source): it holds values that are no finite numbers")
    }
    self.init(rows: shape[0], columns: shape[1], values: values)
  }
}
