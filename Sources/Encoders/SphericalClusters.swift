import Layers

/// Spherical k-means (Dhillon & Modha 2001) over unit rows, started from k-means++ seeds.
///
/// - Parameters:
///   - rows: unit rows `[count, dimension]`, at least one.
///   - clusters: how many; no more than there are rows are made.
/// - Returns: unit centres `[clusters, dimension]` and the cluster of each row, `[count]`.
public func sphericalClusters(
  _ rows: [Float], dimension: Int, clusters: Int, seed: UInt64
) -> (centres: [Float], assignment: [Int]) {
  let count = rows.count / dimension
  let clusters = max(1, min(clusters, count))
  var random = SeededRandom(seed: seed)
  func row(_ i: Int) -> ArraySlice<Float> { rows[(i * dimension)..<((i + 1) * dimension)] }
  func dot(_ a: ArraySlice<Float>, _ b: ArraySlice<Float>) -> Float {
    zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
  }
  var centres = Array(row(random.below(count)))
  var distances = [Float](repeating: .infinity, count: count)
  while centres.count < clusters * dimension {
    let last = centres.suffix(dimension)
    for i in 0..<count { distances[i] = min(distances[i], max(0, 1 - dot(row(i), last))) }
    var draw = random.uniform() * distances.reduce(0, +)
    let chosen =
      distances.firstIndex {
        draw -= $0
        return draw <= 0
      } ?? count - 1
    centres += row(chosen)
  }
  var assignment = [Int](repeating: 0, count: count)
  for _ in 0..<20 {
    for i in 0..<count {
      let similarities = (0..<clusters).map {
        dot(row(i), centres[($0 * dimension)..<(($0 + 1) * dimension)])
      }
      assignment[i] = similarities.indices.max { similarities[$0] < similarities[$1] } ?? 0
    }
    for cluster in 0..<clusters {
      var sum = [Float](repeating: 0, count: dimension)
      for i in 0..<count where assignment[i] == cluster {
        for (d, value) in row(i).enumerated() { sum[d] += value }
      }
      let length = dot(sum[...], sum[...]).squareRoot()
      guard length > 1e-6 else { continue }
      for d in 0..<dimension { centres[cluster * dimension + d] = sum[d] / length }
    }
  }
  return (centres, assignment)
}
