/// The merges of a byte-pair vocabulary, and their application to words.
struct MergeTable: Sendable {
  /// Open addressing: `left << 32 | right` in a power of two of slots, at most half taken.
  private var pairs: [UInt64]
  private var merges: [Merge]
  private var count = 0

  struct Merge { var rank, id: Int32 }

  private static let empty = UInt64.max
  /// Words up to this many symbols are merged by looking through all pairs each time; longer ones by a heap.
  static let shortWord = 24

  init(capacity: Int) {
    var slots = 16
    while slots < 2 * capacity { slots *= 2 }
    pairs = Array(repeating: Self.empty, count: slots)
    merges = Array(repeating: Merge(rank: 0, id: 0), count: slots)
  }

  /// `left` and `right` become `id`; lower ranks go first. At most `capacity` different pairs.
  mutating func insert(_ left: Int32, _ right: Int32, rank: Int32, id: Int32) {
    precondition(2 * count < pairs.count, "more than \(count) pairs")
    let place = slot(left, right)
    if pairs[place] == Self.empty { count += 1 }
    pairs[place] = Self.key(left, right)
    merges[place] = Merge(rank: rank, id: id)
  }

  func merge(_ left: Int32, _ right: Int32) -> Merge? {
    let place = slot(left, right)
    return pairs[place] == Self.empty ? nil : merges[place]
  }

  /// Merges the symbols of one word: always the pair of lowest rank, the leftmost of equal ones.
  func apply(to word: inout [Int32]) {
    word.count <= Self.shortWord ? applyByScanning(to: &word) : applyByHeap(to: &word)
  }

  func applyByScanning(to word: inout [Int32]) {
    while word.count > 1 {
      var best: (position: Int, merge: Merge)?
      for position in 0..<(word.count - 1) {
        guard let merge = merge(word[position], word[position + 1]) else { continue }
        if best.map({ merge.rank < $0.merge.rank }) ?? true { best = (position, merge) }
      }
      guard let best else { return }
      word[best.position] = best.merge.id
      word.remove(at: best.position + 1)
    }
  }

  /// In O(n log n): a heap of the pairs by rank and position, over a list of the symbols that are left.
  func applyByHeap(to word: inout [Int32]) {
    var next = (0..<word.count).map { Int32($0 + 1) }
    var previous = (0..<word.count).map { Int32($0 - 1) }
    let gone: Int32 = -1
    var heap = Heap<UInt64>()
    func push(_ position: Int) {
      let following = Int(next[position])
      guard following < word.count, let merge = merge(word[position], word[following]) else {
        return
      }
      heap.push(UInt64(UInt32(bitPattern: merge.rank)) << 32 | UInt64(position))
    }
    for position in word.indices { push(position) }
    while let first = heap.pop() {
      let position = Int(first & 0xFFFF_FFFF)
      guard word[position] != gone else { continue }
      let following = Int(next[position])
      // An entry is stale once a neighbour was merged away; what took its place has an entry of its own.
      guard following < word.count, let merge = merge(word[position], word[following]),
        UInt64(UInt32(bitPattern: merge.rank)) == first >> 32
      else { continue }
      word[position] = merge.id
      word[following] = gone
      next[position] = next[following]
      if Int(next[position]) < word.count { previous[Int(next[position])] = Int32(position) }
      push(position)
      if previous[position] >= 0 { push(Int(previous[position])) }
    }
    word.removeAll { $0 == gone }
  }

  private static func key(_ left: Int32, _ right: Int32) -> UInt64 {
    UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
  }

  private func slot(_ left: Int32, _ right: Int32) -> Int {
    let key = Self.key(left, right)
    var hash = key &* 0x9E37_79B9_7F4A_7C15
    hash ^= hash >> 32
    var place = Int(truncatingIfNeeded: hash) & (pairs.count - 1)
    while pairs[place] != Self.empty, pairs[place] != key {
      place = (place + 1) & (pairs.count - 1)
    }
    return place
  }
}
