import Testing

@testable import Reports

@Suite struct RetrievalTests {
  /// Rows of one column: the similarity of a query 1 is the candidate itself.
  private func column(_ values: [Float]) -> Embeddings {
    Embeddings(rows: values.count, columns: 1, values: values)
  }

  @Test func theBestRightCandidateCounts() throws {
    // Sorted: 0.9 (c2), 0.7 (c0), 0.5 (c1), 0.1 (c3).
    let candidates = column([0.7, 0.5, 0.9, 0.1])
    let ranks = try Retrieval.ranks(
      of: column([1, 1, 1, -1]), among: candidates, right: [[1], [1, 0], [3], [3]], workers: 1)
    #expect(ranks == [3, 2, 4, 1])
  }

  @Test func rightCandidatesAreNotInOneAnothersWay() throws {
    let ranks = try Retrieval.ranks(
      of: column([1]), among: column([0.9, 0.8, 0.7]), right: [[1, 0]], workers: 1)
    #expect(ranks == [1])
  }

  @Test func aTieWithAWrongCandidateIsLost() throws {
    let ranks = try Retrieval.ranks(
      of: column([1, 1]), among: column([0.5, 0.5, 0.5]), right: [[0], [0, 1]], workers: 1)
    #expect(ranks == [3, 2])
  }

  @Test func whatIsNoNumberRanksLast() throws {
    let ranks = try Retrieval.ranks(
      of: column([.nan]), among: column([1, 2, 3]), right: [[2]], workers: 1)
    #expect(ranks == [3])
  }

  @Test func chunksAndWorkersChangeNothing() throws {
    var embeddings: [Float] = []
    for i in 0..<(700 * 3) { embeddings.append(Float((i * 7919) % 101) / 50 - 1) }
    let rows = Embeddings(rows: 700, columns: 3, values: embeddings)
    let right = (0..<700).map { [$0, ($0 + 13) % 700] }
    let all = try Retrieval.ranks(of: rows, among: rows, right: right, workers: 2)
    for query in stride(from: 0, to: 700, by: 97) {
      let one = try Retrieval.ranks(
        of: rows.taking([query]), among: rows, right: [right[query]], workers: 1)
      #expect(one == [all[query]])
    }
  }

  @Test func figuresOfRanks() {
    let figures = RetrievalFigures(ranks: [1, 7, 3, 12, 1, 5], candidates: 20)
    #expect(figures.recallAt1 == 2.0 / 6)
    #expect(figures.recallAt5 == 4.0 / 6)
    #expect(figures.recallAt10 == 5.0 / 6)
    #expect(figures.medianRank == 4)
    #expect(RetrievalFigures(ranks: [9, 2, 4], candidates: 9).medianRank == 4)
  }

  @Test func equalImagesAndEqualCaptionsAreOne() {
    // Pairs: A-x, B-x, A-y, C-z, A-x again.
    let pairs = RetrievalPairs(["A", "B", "A", "C", "A"], ["x", "x", "y", "z", "x"])
    #expect(pairs.firstRows == [0, 1, 3])
    #expect(pairs.secondRows == [0, 2, 3])
    #expect(pairs.secondsOfFirst == [[0, 1], [0], [2]])
    #expect(pairs.firstsOfSecond == [[0, 1], [0], [2]])
  }

  @Test func aCaptionOfTwoImagesIsAnsweredByBoth() throws {
    // Images A, B, C; A and B share caption x. The caption's embedding is nearest to C, then B.
    let images = Embeddings(rows: 3, columns: 2, values: [1, 0, 0.8, 0.6, 0, 1])
    let texts = Embeddings(rows: 3, columns: 2, values: [0.6, 0.8, 0.6, 0.8, 0, 1])
    let pairs = RetrievalPairs(["A", "B", "C"], ["x", "x", "z"])
    let (there, back) = try pairs.figures(images, texts, workers: 1)
    #expect(there.queries == 3 && there.candidates == 2)
    #expect(back.queries == 2 && back.candidates == 3)
    // x: B 0.96, C 0.8, A 0.6; z: C.
    #expect(back.recallAt1 == 1)
    // A: x 0.6 over z 0; B: x 0.96 over z 0.6; C: z 1 over x 0.8.
    #expect(there.recallAt1 == 1)
  }
}
