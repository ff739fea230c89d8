import Foundation
import TensorFiles

/// Embeddings in clip-retrieval's layout: `img_emb/img_emb_N.npy` and `text_emb/text_emb_N.npy`, `[rows, dimension]`,
/// float16 or float32; row i of one belongs to row i of the other.
public struct EmbeddingFolder: Sendable {
  public let images: Embeddings
  public let texts: Embeddings

  /// - Throws: `EvaluationError` where the files don't go together; `TensorFileError`.
  public init(_ path: String) throws {
    images = try Self.read("\(path)/img_emb", prefix: "img_emb_")
    texts = try Self.read("\(path)/text_emb", prefix: "text_emb_")
    guard (images.rows, images.columns) == (texts.rows, texts.columns) else {
      throw EvaluationError(
        "\(path): img_emb holds [\(images.rows), \(images.columns)], text_emb "
          + "[\(texts.rows), \(texts.columns)]; both must come from one run of one model")
    }
  }

  private static func read(_ folder: String, prefix: String) throws -> Embeddings {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    let numbers = files.compactMap { file -> (number: Int, file: String)? in
      guard file.hasPrefix(prefix), file.hasSuffix(".npy"),
        let number = Int(file.dropFirst(prefix.count).dropLast(4))
      else { return nil }
      return (number, file)
    }.sorted { $0.number < $1.number }
    guard !numbers.isEmpty else {
      throw EvaluationError("\(folder) holds no \(prefix)0.npy; is it clip-retrieval's layout?")
    }
    let parts = try numbers.map { try Embeddings(npy: "\(folder)/\($0.file)") }
    let columns = parts[0].columns
    guard let odd = parts.firstIndex(where: { $0.columns != columns }) else {
      return Embeddings(
        rows: parts.reduce(0) { $0 + $1.rows }, columns: columns, values: parts.flatMap(\.values))
    }
    throw EvaluationError(
      "\(folder)/\(numbers[odd].file) has \(parts[odd].columns) columns, the first \(columns)")
  }
}

extension Embeddings {
  /// - Throws: `EvaluationError` for anything but finite float rows; `TensorFileError`.
  public init(npy path: String) throws {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw EvaluationError("\(path): no such file")
    }
    try self.init(try NPY.decode([UInt8](data), from: path), of: path)
  }

  /// - Parameter source: what errors name.
  init(_ array: NPYArray, of source: String) throws(EvaluationError) {
    guard case .float32(let values, let shape) = array, shape.count == 2 else {
      throw EvaluationError("\(source): embeddings are [rows, dimension] in float16 or float32")
    }
    guard values.allSatisfy(\.isFinite) else {
      throw EvaluationError("\(source): it holds values that are no finite numbers")
    }
    self.init(rows: shape[0], columns: shape[1], values: values)
  }
}
