import ConfidentLearning
import TensorFiles

/// Given labels and predicted probabilities in two `.npy` files, read a chunk at a time.
struct LabelSource: Sendable {
  /// Classes, of which each pair has a cell in several tables: a table of so many takes 5 GB. (ImageNet-21k has 21,841.)
  private static let mostClasses = 25_000

  let rows: Int
  let classes: Int
  private let labels: NPYReader
  private let probabilities: NPYReader
  /// Rows of a chunk. A chunk fits into a core's cache, and asking for it takes little beside reading it.
  private let chunkRows: Int

  /// - Parameters:
  ///   - labels: whole numbers of any width, `[n]` or `[n, 1]`.
  ///   - probabilities: float16, float32 or float64, `[n, K]`.
  ///   - chunkBytes: of the probabilities, a row at least.
  /// - Throws: `RunError.badInput`, `TensorFileError`.
  init(labels: String, probabilities: String, chunkBytes: Int = 1 << 20) throws {
    self.labels = try NPYReader(labels)
    self.probabilities = try NPYReader(probabilities)
    let shape = self.probabilities.shape
    guard shape.count == 2, !self.probabilities.element.isInteger else {
      throw RunError.badInput(
        file: probabilities, detail: "it holds \(self.probabilities.element.rawValue) \(shape)",
        remedy: "predicted probabilities are floating-point numbers [examples, classes]")
    }
    (rows, classes) = (shape[0], shape[1])
    guard classes >= 2 else {
      throw RunError.badInput(
        file: probabilities, detail: "\(ClassLabelError.tooFewClasses(found: classes))",
        remedy: "give a column for each class")
    }
    guard classes <= Self.mostClasses else {
      throw RunError.badInput(
        file: probabilities,
        detail:
          "it has \(classes) columns; tables of all pairs of classes fit into memory up to \(Self.mostClasses)",
        remedy:
          "give [examples, classes], not its transpose, and leave out columns that no label names")
    }
    let given = self.labels.shape
    guard given.count == 1 || given.count == 2 && given[1] == 1, self.labels.element.isInteger
    else {
      throw RunError.badInput(
        file: labels, detail: "it holds \(self.labels.element.rawValue) \(given)",
        remedy: "labels are whole numbers [examples], the column of each class: "
          + "save labels.astype('int64')")
    }
    guard given[0] == rows else {
      throw RunError.badInput(
        file: labels, detail: "\(given[0]) labels for the \(rows) rows of \(probabilities)",
        remedy: "give a label for each row, in the same order")
    }
    let rowBytes = classes * (self.probabilities.element == .float64 ? 8 : 4)
    chunkRows = max(1, chunkBytes / rowBytes)
  }

  var chunks: Int { (rows + chunkRows - 1) / chunkRows }

  /// The chunk that a row lies in.
  func chunk(ofRow row: Int) -> Int { row / chunkRows }

  /// What a worker reads into, over and over.
  struct Buffer: Sendable {
    fileprivate var float16: [Float16] = []
    fileprivate var float32: [Float] = []
    fileprivate var float64: [Double] = []
  }

  /// - Throws: `RunError.badInput` for a label that is no column; `TensorFileError`.
  func chunk(_ index: Int, _ buffer: inout Buffer) throws -> LabelledRows {
    let first = index * chunkRows
    let count = min(chunkRows, rows - first)
    let given = try labels.integers(from: first, count: count)
    // The highest of all is found faster than the first that is too high.
    if given.reduce(0, { max($0, UInt64(bitPattern: $1)) }) >= UInt64(classes),
      let bad = given.firstIndex(where: { UInt64(bitPattern: $0) >= UInt64(classes) })
    {
      throw badLabel(given[bad], first + bad)
    }
    let values: PredictedProbabilities
    switch probabilities.element {
    case .float64:
      try read(first, count, &buffer.float64)
      values = .float64(buffer.float64)
    case .float16:
      try read(first, count, &buffer.float16)
      values = .float32(buffer.float16.map { Float($0) })
    default:
      try read(first, count, &buffer.float32)
      values = .float32(buffer.float32)
    }
    return try LabelledRows(
      first: first, classes: classes, labels: given.map { Int32(truncatingIfNeeded: $0) },
      probabilities: values)
  }

  private func read<Value: BinaryFloatingPoint & BitwiseCopyable>(
    _ first: Int, _ count: Int, _ values: inout [Value]
  ) throws {
    if values.count != count * classes { values = Array(repeating: 0, count: count * classes) }
    try probabilities.read(from: first * classes, into: &values)
  }

  private func badLabel(_ label: Int64, _ row: Int) -> RunError {
    .badInput(
      file: labels.path,
      detail: "row \(row): label \(label) is no column of \(probabilities.path), "
        + "which has \(classes): 0...\(classes - 1)",
      remedy: "number the classes from 0 in the order of the columns")
  }

  /// The same error with the file that it is about.
  func named(_ error: ClassLabelError) -> RunError {
    .badInput(
      file: probabilities.path, detail: "\(error)",
      remedy: "give probabilities, such as a softmax of the model's outputs")
  }
}
