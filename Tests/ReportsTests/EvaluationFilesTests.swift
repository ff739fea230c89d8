import Foundation
import TensorFiles
import Testing

@testable import Reports

@Suite struct EvaluationFilesTests {
  private let folder = NSTemporaryDirectory() + "winnow-reports-\(UUID().uuidString)"

  private func write(_ rows: [[Float]], _ name: String) throws {
    let path = "\(folder)/\(name)"
    try FileManager.default.createDirectory(
      atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try Data(NPY.encode(.float32(rows.flatMap { $0 }, shape: [rows.count, rows[0].count]))).write(
      to: URL(fileURLWithPath: path))
  }

  @Test func embeddingPartsAreTakenInNumericOrder() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    for part in 0..<11 {
      try write([[Float(part), 1]], "img_emb/img_emb_\(part).npy")
      try write([[Float(part), 1]], "text_emb/text_emb_\(part).npy")
    }
    let embeddings = try EmbeddingFolder(folder)
    #expect(embeddings.images.rows == 11)
    #expect(embeddings.images.values[20] == 10)
    let evaluation = try RetrievalEvaluation(embeddings, workers: 1)
    #expect(evaluation.pairs == 11)
    #expect(evaluation.imageToText.candidates == 11)
    #expect(try evaluation.json().contains("\"recall_at_10\""))
    #expect(try evaluation.json().contains("\"format_version\" : 1"))
  }

  @Test func embeddingsThatDoNotGoTogetherAreRefused() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    #expect(throws: EvaluationError.self) { try EmbeddingFolder(folder) }
    try write([[1, 0]], "img_emb/img_emb_0.npy")
    try write([[1, 0], [0, 1]], "text_emb/text_emb_0.npy")
    #expect(throws: EvaluationError.self) { try EmbeddingFolder(folder) }
    try write([[1, .nan]], "text_emb/text_emb_0.npy")
    #expect(throws: EvaluationError.self) { try EmbeddingFolder(folder) }
  }

  @Test func rowsWithoutAColumnAreRefused() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    for name in ["img_emb", "text_emb"] {
      try FileManager.default.createDirectory(
        atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
      // 128 bytes.
      try Data(NPY.encode(.float32([], shape: [1 << 31, 0]))).write(
        to: URL(fileURLWithPath: "\(folder)/\(name)/\(name)_0.npy"))
    }
    #expect(throws: EvaluationError.self) { try EmbeddingFolder(folder) }
    let (path, rows) = ("\(folder)/pairs.npz", NPYArray.float32([], shape: [3, 0]))
    try NPZ.write([("text", rows), ("match", rows)], to: path)
    #expect(throws: EvaluationError.self) { try TextPairs(npz: path) }
  }

  @Test func labelsMayBeNumbersOrStrings() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try write([[1, 0], [0, 1], [1, 1]], "x.npy")
    let (x, y) = ("\(folder)/x.npy", "\(folder)/y.npy")
    for (labels, expected) in [
      (NPYArray.int64([3, 3, -1], shape: [3]), ["3", "3", "-1"]),
      (.bytes([Array("a".utf8), Array("bc".utf8), []]), ["a", "bc", ""]),
    ] {
      try Data(NPY.encode(labels)).write(to: URL(fileURLWithPath: y))
      #expect(try LabelledTexts(embeddings: x, labels: y).labels == expected)
    }
    try Data(NPY.encode(.int64([1], shape: [1]))).write(to: URL(fileURLWithPath: y))
    #expect(throws: EvaluationError.self) { try LabelledTexts(embeddings: x, labels: y) }
  }

  @Test func pairsOfTextsMayBeEmbeddings() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let path = "\(folder)/pairs.npz"
    try NPZ.write(
      [
        ("text", .float32([2, 0, 0, 2], shape: [2, 2])),
        ("match", .float32([1, 0, 1, 0.5], shape: [2, 2])),
      ], to: path)
    let figures = try TextPairs(npz: path).evaluate(workers: 1)
    #expect(figures.pairs == 2)
    #expect(figures.textToMatch.recallAt1 == 1)
    // The second match lies nearer to the first text.
    #expect(figures.matchToText.recallAt1 == 0.5)
  }
}
