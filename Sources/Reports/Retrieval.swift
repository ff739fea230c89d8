import Layers

/// Retrieval between two sets of embeddings, as CLIP's zero-shot retrieval is counted (Radford et al. 2021, section
/// 3.1.4; CLIP_benchmark): a query's rank is that of the *best-ranked* right candidate, and R@k is the share of queries
/// whose rank is at most k. A query may have several right candidates, as an image of COCO has five captions.
public enum Retrieval {
  /// Similarities held at a time by one worker.
  static let chunkValues = 1 << 24

  /// Ranks by dot product, from 1.
  ///
  /// A wrong candidate that scores exactly like the best right one counts as ahead of it: an encoder that gives
  /// everything one embedding finds nothing. Right candidates never stand in one another's way.
  /// - Parameters:
  ///   - right: for each query the candidates that are right, at least one, none twice.
  ///   - workers: threads; each holds `chunkValues` similarities at most (or one row).
  /// - Returns: a rank for each query; the worst one where an embedding is no number.
  public static func ranks(
    of queries: Embeddings, among candidates: Embeddings, right: [[Int]], workers: Int
  ) throws -> [Int] {
    precondition(queries.columns == candidates.columns, "embeddings of two spaces")
    precondition(right.count == queries.rows && right.allSatisfy { !$0.isEmpty })
    let (n, columns) = (candidates.rows, queries.columns)
    guard n > 0 else { return [] }
    let chunk = max(1, min(256, chunkValues / n))
    let pieces = (queries.rows + chunk - 1) / chunk
    return try parallelMap(
      pieces, workers: workers, state: [Float](repeating: 0, count: chunk * n)
    ) { similarities, piece in
      let first = piece * chunk
      let rows = min(chunk, queries.rows - first)
      return similarities.withUnsafeMutableBufferPointer { similarities in
        queries.values.withUnsafeBufferPointer { q in
          candidates.values.withUnsafeBufferPointer { c in
            guard let out = similarities.baseAddress, let q = q.baseAddress, let c = c.baseAddress
            else { return [Int]() }
            multiply(q + first * columns, .no, c, .yes, into: out, m: rows, n: n, k: columns)
            return (0..<rows).map { rank(out + $0 * n, count: n, right: right[first + $0]) }
          }
        }
      }
    }.flatMap { $0 }
  }

  /// 1 + the wrong candidates that are not below the best right one.
  private static func rank(_ row: UnsafePointer<Float>, count: Int, right: [Int]) -> Int {
    let best = right.reduce(-Float.infinity) { max($0, row[$1]) }
    // "Not below" rather than "at least", so that NaN ranks last.
    var ahead: Int32 = 0
    for j in 0..<count { ahead &+= row[j] < best ? 0 : 1 }
    return 1 + Int(ahead) - right.count { !(row[$0] < best) }
  }
}

/// Which of two sets of things belong together.
///
/// Things come in pairs and may repeat; `first` and `second` number them, equal ones alike. Each different thing is one
/// query and one candidate, and all partners that it has in any pair are right: images with equal captions both answer
/// that caption, captions of equal images both answer that image.
public struct RetrievalPairs: Sendable, Equatable {
  /// The pairs in which a thing occurs first: where to take its embedding from.
  public var firstRows: [Int] = []
  public var secondRows: [Int] = []
  /// For each first thing the second things that are right, and the other way round.
  public var secondsOfFirst: [[Int]] = []
  public var firstsOfSecond: [[Int]] = []

  /// - Parameter first, second: for each pair a hashable identity of either side.
  public init<A: Hashable, B: Hashable>(_ first: [A], _ second: [B]) {
    precondition(first.count == second.count)
    let (a, b) = (groupNumbers(first), groupNumbers(second))
    var seen: Set<[Int]> = []
    for (row, (i, j)) in zip(a, b).enumerated() {
      if i == firstRows.count {
        firstRows.append(row)
        secondsOfFirst.append([])
      }
      if j == secondRows.count {
        secondRows.append(row)
        firstsOfSecond.append([])
      }
      guard seen.insert([i, j]).inserted else { continue }
      secondsOfFirst[i].append(j)
      firstsOfSecond[j].append(i)
    }
  }
}

/// What a list of ranks comes to.
public struct RetrievalFigures: Codable, Sendable, Equatable {
  public var queries: Int
  public var candidates: Int
  /// Shares in 0...1.
  public var recallAt1: Double
  public var recallAt5: Double
  public var recallAt10: Double
  /// From 1; the mean of the middle two for an even number of queries.
  public var medianRank: Double

  enum CodingKeys: String, CodingKey {
    case queries, candidates
    case recallAt1 = "recall_at_1"
    case recallAt5 = "recall_at_5"
    case recallAt10 = "recall_at_10"
    case medianRank = "median_rank"
  }

  /// - Parameter ranks: from 1, at least one.
  public init(ranks: [Int], candidates: Int) {
    precondition(!ranks.isEmpty, "no queries")
    let sorted = ranks.sorted()
    let n = sorted.count
    func share(_ k: Int) -> Double { Double(sorted.count { $0 <= k }) / Double(n) }
    queries = n
    self.candidates = candidates
    (recallAt1, recallAt5, recallAt10) = (share(1), share(5), share(10))
    medianRank = Double(sorted[(n - 1) / 2] + sorted[n / 2]) / 2
  }
}
