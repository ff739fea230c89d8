/// The pairs of neighbouring symbols in a set of counted words, kept up to date while pairs are merged: a merge touches only
/// the words that hold the pair.
struct PairCounts {
  private var words: [[Int32]]
  private let weights: [Int]
  private var pairs: [Pair: Entry] = [:]
  private var heap = Heap<Candidate>()

  struct Pair: Hashable {
    var left, right: Int32
  }

  private struct Entry {
    var count = 0
    /// The words that hold the pair, or held it once; one may stand here twice.
    var words: [Int32] = []
    var isDropped = false
  }

  /// Frequent pairs first; of equally frequent ones that of the oldest symbols.
  private struct Candidate: Comparable {
    var count: Int
    var pair: Pair

    static func < (a: Candidate, b: Candidate) -> Bool {
      if a.count != b.count { return a.count > b.count }
      return (a.pair.left, a.pair.right) < (b.pair.left, b.pair.right)
    }
  }

  /// - Parameter words: their bytes become the symbols 0 to 255 (the last one of a word 256 to 511), numbered in the order
  ///   of `ByteAlphabet.vocabularyOrder`.
  /// - Parameter check: called now and then; what it throws is thrown.
  init(
    words: [(bytes: [UInt8], count: Int)], check: () throws -> Void = {}
  ) throws {
    var symbols = [Int32](repeating: 0, count: 256)
    for (symbol, byte) in ByteAlphabet.vocabularyOrder.enumerated() {
      symbols[Int(byte)] = Int32(symbol)
    }
    self.words = words.map { word in
      var result = word.bytes.map { symbols[Int($0)] }
      if let last = result.indices.last { result[last] += 256 }
      return result
    }
    weights = words.map(\.count)
    for (index, word) in self.words.enumerated() {
      if index % 4096 == 0 { try check() }
      for (left, right) in zip(word, word.dropFirst()) {
        count(Pair(left: left, right: right), by: weights[index], word: Int32(index))
      }
    }
    for (pair, entry) in pairs { heap.push(Candidate(count: entry.count, pair: pair)) }
  }

  /// The most frequent pair that occurs at least twice.
  mutating func mostFrequent() -> (left: Int32, right: Int32)? {
    while let candidate = heap.pop() {
      guard let entry = pairs[candidate.pair], !entry.isDropped else { continue }
      if entry.count == candidate.count {
        return entry.count > 1 ? (candidate.pair.left, candidate.pair.right) : nil
      }
      // It lost some of its places since it was pushed; every gain was pushed anew.
      if entry.count < candidate.count, entry.count > 1 {
        heap.push(Candidate(count: entry.count, pair: candidate.pair))
      }
    }
    return nil
  }

  /// Never returns the pair again.
  mutating func drop(_ left: Int32, _ right: Int32) {
    pairs[Pair(left: left, right: right)]?.isDropped = true
  }

  /// Puts `id` wherever the two stand, in every word from its beginning.
  mutating func merge(_ left: Int32, _ right: Int32, into id: Int32) {
    guard let entry = pairs.removeValue(forKey: Pair(left: left, right: right)) else { return }
    var grown: Set<Pair> = []
    var previous: Int32 = -1
    for index in entry.words where index != previous {
      previous = index
      let word = words[Int(index)]
      let weight = weights[Int(index)]
      var merged: [Int32] = []
      merged.reserveCapacity(word.count)
      var position = 0
      while position < word.count {
        if position + 1 < word.count, word[position] == left, word[position + 1] == right {
          merged.append(id)
          position += 2
        } else {
          merged.append(word[position])
          position += 1
        }
      }
      guard merged.count < word.count else { continue }
      for (left, right) in zip(word, word.dropFirst()) {
        pairs[Pair(left: left, right: right)]?.count -= weight
      }
      for (left, right) in zip(merged, merged.dropFirst()) {
        let pair = Pair(left: left, right: right)
        if left == id || right == id {
          count(pair, by: weight, word: index)
          grown.insert(pair)
        } else {
          pairs[pair]?.count += weight
        }
      }
      words[Int(index)] = merged
    }
    for pair in grown {
      if let count = pairs[pair]?.count { heap.push(Candidate(count: count, pair: pair)) }
    }
  }

  private mutating func count(_ pair: Pair, by weight: Int, word: Int32) {
    pairs[pair, default: Entry()].count += weight
    if pairs[pair]?.words.last != word { pairs[pair]?.words.append(word) }
  }
}
