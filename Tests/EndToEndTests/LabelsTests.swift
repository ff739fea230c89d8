import Foundation
import TensorFiles
import Testing

@Suite struct LabelsTests {
  /// Ten examples of three classes; row 3 is labelled 0 and is a 1, row 7 is labelled 2 and is a 0.
  private func shop(labels: [Int64] = [0, 1, 2, 0, 1, 2, 0, 2, 1, 2]) throws -> Workshop {
    let shop = try Workshop()
    let truth = [0, 1, 2, 1, 1, 2, 0, 0, 1, 2]
    let probabilities = truth.flatMap { k in (0..<3).map { $0 == k ? Float(0.8) : 0.1 } }
    try write(.int64(labels, shape: [labels.count]), "\(shop.root)/y.npy")
    try write(.float32(probabilities, shape: [10, 3]), "\(shop.root)/p.npy")
    return shop
  }

  private func write(_ array: NPYArray, _ path: String) throws {
    try Data(NPY.encode(array)).write(to: URL(fileURLWithPath: path))
  }

  private let files = ["labels", "--labels", "y.npy", "--pred-probs", "p.npy"]

  private func run(_ shop: Workshop, _ more: String...) throws -> Workshop.Outcome {
    try Workshop.run(Workshop.binary, files + more, in: shop.root)
  }

  @Test func theFlaggedArePrintedAndWritten() throws {
    let shop = try shop()
    let outcome = try run(shop, "--out", "issues.npz", "--filter-by", "confident_learning")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.lines == ["3", "7"])
    #expect(outcome.errors.contains("10 examples, 3 classes"))
    #expect(outcome.errors.contains("flagged by confident_learning: 2"))
    let columns = try NPZ.read("\(shop.root)/issues.npz")
    #expect(columns["index"] == .int64([3, 7], shape: [2]))
    #expect(columns["label"] == .int64([0, 2], shape: [2]))
    #expect(columns["predicted"] == .int64([1, 0], shape: [2]))
    #expect(columns["label_counts"] == .int64([3, 3, 4], shape: [3]))

    #expect(try run(shop, "--out", "i.npy", "--filter-by", "confident_learning").status == 0)
    #expect(try NPY.read("\(shop.root)/i.npy") == .int64([3, 7], shape: [2]))
    let mask = try run(
      shop, "--out", "m.npy", "--mask", "--filter-by", "predicted_neq_given", "--quiet")
    #expect(mask.errors == "")
    #expect(try NPY.read("\(shop.root)/m.npy") == .bool((0..<10).map { $0 == 3 || $0 == 7 }))
    // No draft is left behind.
    let entries = try FileManager.default.contentsOfDirectory(atPath: shop.root)
    #expect(entries.sorted() == ["i.npy", "issues.npz", "m.npy", "p.npy", "tiny.yaml", "y.npy"])
  }

  @Test func whatCannotBeUsedIsNamed() throws {
    let shop = try shop(labels: [0, 1, 2, 0, 1, 5, 0, 2, 1, 2])
    let range = try run(shop)
    #expect(range.status == 1)
    #expect(range.errors.contains("y.npy: row 5: label 5 is no column of p.npy"))
    try write(.int64([0, 1], shape: [2]), "\(shop.root)/y.npy")
    #expect(try run(shop).errors.contains("2 labels for the 10 rows of p.npy"))
    try write(.float32([0, 1], shape: [2]), "\(shop.root)/y.npy")
    #expect(try run(shop).errors.contains("labels.astype('int64')"))
    try write(.int64([0, 1], shape: [2]), "\(shop.root)/y.npy")
    try write(.float32([0.5, 0.5, .nan, 0], shape: [2, 2]), "\(shop.root)/p.npy")
    let number = try run(shop)
    #expect(number.status == 1)
    #expect(number.errors.contains("p.npy: row 1, column 0: nan is not a probability"))
    try write(.float32([0.5, 0.5], shape: [2]), "\(shop.root)/p.npy")
    #expect(try run(shop).errors.contains("[examples, classes]"))
  }

  @Test(arguments: [
    ["--filter-by", "frobnicate"], ["--out", "o.json"], ["--out", "o.npz", "--mask"],
    ["--num-to-remove-per-class", "1,2"], ["--num-to-remove-per-class", "1,x,2"],
    ["--filter-by", "confident_learning", "--frac-noise", "0.5"], ["--workers", "0"],
    ["--pred-probs", "nowhere.npy"],
  ])
  func wrongUsageEndsWithTwo(arguments: [String]) throws {
    let shop = try shop()
    let outcome = try Workshop.run(Workshop.binary, files + arguments, in: shop.root)
    #expect(outcome.status == 2, "\(outcome.errors)")
    #expect(outcome.output == "")
  }
}
