/// The candidate nearest to `word` by edit distance, if it is near enough to be what was meant (at most a third of the
/// letters, but two at least, differ).
func nearestWord(to word: String, among candidates: [String]) -> String? {
  let near = candidates.map { (distance: editDistance(word.lowercased(), $0.lowercased()), $0) }
  guard let best = near.min(by: { ($0.distance, $0.1) < ($1.distance, $1.1) }) else { return nil }
  return best.distance <= max(2, word.count / 3) ? best.1 : nil
}

/// Levenshtein's distance.
func editDistance(_ a: String, _ b: String) -> Int {
  let b = Array(b)
  var row = Array(0...b.count)
  for (i, x) in a.enumerated() {
    var diagonal = row[0]
    row[0] = i + 1
    for j in b.indices {
      let substituted = diagonal + (x == b[j] ? 0 : 1)
      diagonal = row[j + 1]
      row[j + 1] = min(substituted, row[j] + 1, row[j + 1] + 1)
    }
  }
  return row[b.count]
}
