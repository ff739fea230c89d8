import ConfidentLearning
import Foundation
import TensorFiles
import Testing

@testable import Pipeline

@Suite struct LabelStageTests {
  /// Labels as int16, probabilities as float64, of 500 examples.
  private func folder() throws -> (path: String, rows: LabelledRows) {
    let path = NSTemporaryDirectory() + "winnow-labels-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    var random = SystemRandomNumberGenerator()
    var labels: [Int32] = []
    var values: [Double] = []
    for _ in 0..<500 {
      let truth = Int32.random(in: 0..<5, using: &random)
      labels.append(
        Int32.random(in: 0..<4, using: &random) == 0
          ? Int32.random(in: 0..<5, using: &random) : truth)
      var row = (0..<5).map { ($0 == truth ? 2 : 0) + Double.random(in: 0..<1, using: &random) }
      let sum = row.reduce(0, +)
      row = row.map { ($0 / sum * 64).rounded() / 64 }
      values += row
    }
    try Data(NPY.encode(.int64(labels.map { Int64($0) }, shape: [500, 1]))).write(
      to: URL(fileURLWithPath: "\(path)/y.npy"))
    try Data(NPY.encode(.float64(values, shape: [500, 5]))).write(
      to: URL(fileURLWithPath: "\(path)/p.npy"))
    return (path, try LabelledRows(classes: 5, labels: labels, probabilities: .float64(values)))
  }

  @Test func neitherChunksNorWorkersChangeTheResult() throws {
    let (path, rows) = try folder()
    defer { try? FileManager.default.removeItem(atPath: path) }
    for filter in LabelIssueFilter.allCases {
      var options = LabelOptions()
      options.filter = filter
      options.rank = .normalizedMargin
      let whole = try LabelIssues.find(rows, options: options)
      #expect(!whole.issues.isEmpty)
      for (bytes, workers) in [(1, 3), (200, 2), (1 << 19, 4)] {
        let source = try LabelSource(
          labels: "\(path)/y.npy", probabilities: "\(path)/p.npy", chunkBytes: bytes)
        let result = try LabelStage(source, workers: workers).run(options)
        #expect(result.model == whole.model)
        #expect(result.issues == whole.issues)
      }
    }
  }

  /// The first half is surer than the second, so the thresholds that are guessed in it are too high.
  @Test func aGuessThatFailsTakesASecondReadAndChangesNothing() throws {
    let (path, rows) = try folder()
    defer { try? FileManager.default.removeItem(atPath: path) }
    guard case .float64(var values) = rows.probabilities else { return }
    for row in 0..<250 {
      for k in 0..<5 { values[row * 5 + k] = k == Int(rows.labels[row]) ? 0.96 : 0.01 }
    }
    try Data(NPY.encode(.float64(values, shape: [500, 5]))).write(
      to: URL(fileURLWithPath: "\(path)/p.npy"))
    let whole = try LabelIssues.find(
      LabelledRows(classes: 5, labels: rows.labels, probabilities: .float64(values)))
    let source = try LabelSource(
      labels: "\(path)/y.npy", probabilities: "\(path)/p.npy", chunkBytes: 200)
    let result = try LabelStage(source, workers: 2).run(LabelOptions())
    #expect(result.model == whole.model)
    #expect(result.issues == whole.issues)
  }

  @Test func theFirstBadRowIsNamedWhateverTheWorkers() throws {
    let (path, rows) = try folder()
    defer { try? FileManager.default.removeItem(atPath: path) }
    guard case .float64(var values) = rows.probabilities else { return }
    for row in [111, 112, 301] { values[row * 5 + 2] = .nan }
    try Data(NPY.encode(.float64(values, shape: [500, 5]))).write(
      to: URL(fileURLWithPath: "\(path)/p.npy"))
    for workers in 1...3 {
      let source = try LabelSource(
        labels: "\(path)/y.npy", probabilities: "\(path)/p.npy", chunkBytes: 1)
      let error = #expect(throws: RunError.self) {
        try LabelStage(source, workers: workers).run(LabelOptions())
      }
      #expect("\(try #require(error))".contains("row 111, column 2"))
    }
  }

  @Test func aTransposedMatrixIsRefusedBeforeTablesOfItsClassesAreMade() throws {
    let (path, _) = try folder()
    defer { try? FileManager.default.removeItem(atPath: path) }
    let values = [Float](repeating: 0, count: 2 * 25_001)
    try Data(NPY.encode(.float32(values, shape: [2, 25_001]))).write(
      to: URL(fileURLWithPath: "\(path)/p.npy"))
    let error = #expect(throws: RunError.self) {
      try LabelSource(labels: "\(path)/y.npy", probabilities: "\(path)/p.npy")
    }
    #expect("\(try #require(error))".contains("transpose"))
  }

  @Test func aStoppedRunSaysSo() throws {
    let (path, _) = try folder()
    defer { try? FileManager.default.removeItem(atPath: path) }
    let cancellation = Cancellation()
    cancellation.cancel(signal: SIGINT)
    let stage = try LabelStage(
      labels: "\(path)/y.npy", probabilities: "\(path)/p.npy", workers: 2,
      cancellation: cancellation)
    #expect(throws: RunError.cancelled(signal: SIGINT)) { try stage.run(LabelOptions()) }
  }
}
