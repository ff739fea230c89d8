import Layers

/// Classes by a vote of the nearest labelled rows, by cosine.
struct NearestNeighbours: Sendable {
  private let rows: Embeddings
  private let labels: [Int]
  private let classes: Int
  /// Rows that vote, fewer where there are fewer.
  private let count: Int

  init(_ rows: Embeddings, labels: [Int], classes: Int, count: Int) {
    precondition(labels.count == rows.rows && rows.rows > 0 && count > 0)
    self.rows = rows.unitRows()
    (self.labels, self.classes) = (labels, classes)
    self.count = min(count, rows.rows)
  }

  /// The class of most of the nearest rows; between classes of equally many, that of the larger sum of cosines.
  func predict(_ queries: Embeddings) -> [Int] {
    let chunk = 256
    let queries = queries.unitRows()
    var predicted: [Int] = []
    for first in stride(from: 0, to: queries.rows, by: chunk) {
      let piece = queries.taking(Array(first..<min(first + chunk, queries.rows)))
      var cosines = [Float](repeating: 0, count: piece.rows * rows.rows)
      product(
        piece.values, .no, rows.values, .yes, into: &cosines, m: piece.rows, n: rows.rows,
        k: rows.columns)
      for row in 0..<piece.rows {
        predicted.append(vote(cosines[(row * rows.rows)..<((row + 1) * rows.rows)]))
      }
    }
    return predicted
  }

  private func vote(_ cosines: ArraySlice<Float>) -> Int {
    // Descending; equal cosines in order of the rows, so that the result is one and the same.
    var nearest: [(cosine: Float, row: Int)] = []
    for (row, cosine) in cosines.enumerated() {
      if nearest.count == count {
        guard cosine > nearest[count - 1].cosine else { continue }
        nearest.removeLast()
      }
      let place = nearest.lastIndex { $0.cosine >= cosine }.map { $0 + 1 } ?? 0
      nearest.insert((cosine, row), at: place)
    }
    var votes = [(count: Int, sum: Float)](repeating: (0, 0), count: classes)
    for (cosine, row) in nearest {
      votes[labels[row]].count += 1
      votes[labels[row]].sum += cosine
    }
    return votes.indices.reduce(0) { votes[$1] > votes[$0] ? $1 : $0 }
  }
}
