import BenchmarkSupport
import Foundation
import Reports
import Testing

@testable import bench_training

@Suite struct SummaryTests {
  /// Ranks of ten queries such that `hits` of them are found at once and the others never.
  private func point(_ seen: Int, hits: Int) -> CellResult.Point {
    let figures = RetrievalFigures(
      ranks: (0..<10).map { $0 < hits ? 1 : 100 }, candidates: 100)
    return .init(pairsSeen: seen, retrieval: .init(imageToText: figures, textToImage: figures))
  }

  private func result(_ set: TrainingSet, seed: UInt64 = 0, _ hits: [Int]) throws -> CellResult {
    let classes = try TextClassification(
      Embeddings(rows: 4, columns: 1, values: [1, 1, -1, -1]), labels: ["a", "a", "b", "b"],
      groups: [0, 1, 2, 3], options: .init(folds: 2))
    return CellResult(
      cell: Cell(set: set, text: false, seed: seed), settings: "s", pairs: 100, epochs: 3,
      seconds: 1, curve: hits.enumerated().map { point(100 * ($0 + 1), hits: $1) },
      classification: classes)
  }

  @Test func computeIsCountedWhereTheRecallIsFirstReached() throws {
    let noisy = try result(.noisy, [1, 4, 4])
    #expect(abs((noisy.best?.recall ?? 0) - 0.4) < 1e-9)
    #expect(noisy.best?.pairsSeen == 200)
    let kept = try result(.kept, [2, 6, 7])
    // Half way from 0.2 to 0.6.
    #expect(abs((kept.pairsSeen(untilRecall: 0.4) ?? 0) - 150) < 1e-6)
    #expect(abs((kept.pairsSeen(untilRecall: 0.1) ?? 0) - 50) < 1e-6)
    #expect(try result(.random, [1, 3, 2]).pairsSeen(untilRecall: 0.4) == nil)
  }

  @Test func rowsCompareCellsOfTheSameSeed() throws {
    let summary = Summary(
      [
        try result(.noisy, [1, 4, 4]), try result(.kept, [2, 6, 7]),
        try result(.random, [1, 2, 3]), try result(.clean, [4, 8, 8]),
        try result(.noisy, seed: 1, [2, 2, 2]), try result(.kept, seed: 1, [2, 2, 5]),
        try result(.clean, seed: 1, [4, 6, 6]),
      ], heldOut: 10, trainingNoiseRate: 0.3, keptNoiseRate: 0.1)
    #expect(summary.rows.map(\.set) == [.noisy, .kept, .random, .clean])
    let kept = summary.rows[1]
    // (0.3 + 0.3) / (0.4 + 0.4)
    #expect(abs((kept.wayFromNoisyToClean?.mean ?? 0) - 0.75) < 1e-6)
    // 150 / 200 and 100 / 100.
    #expect(abs((kept.computeToNoisyBest?.mean ?? 0) - 0.875) < 1e-6)
    #expect(kept.neverReached == 0)
    #expect(summary.rows[2].neverReached == 1)
    #expect(summary.rows[2].computeToNoisyBest == nil)
    #expect(summary.text.contains("| (b) kept by Winnow | no | 100 |"))
  }

  @Test func aSpreadIsMeanAndSampleDeviation() throws {
    let spread = try #require(Spread([1, 2, 6]))
    #expect(spread.mean == 3)
    #expect(abs((spread.deviation ?? 0) - 7.0.squareRoot()) < 1e-12)
    #expect(Spread([4])?.deviation == nil)
    #expect(Spread([]) == nil)
  }

  @Test func resultsAreCachedUnderTheirSettings() throws {
    let folder = NSTemporaryDirectory() + "winnow-bench-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let cache = CellCache(folder: folder)
    let stored = try result(.kept, [1, 2])
    try cache.store(stored)
    #expect(cache.load(stored.cell, settings: "s") == stored)
    #expect(cache.load(stored.cell, settings: "other") == nil)
    #expect(cache.load(Cell(set: .kept, text: true, seed: 0), settings: "s") == nil)
  }
}
