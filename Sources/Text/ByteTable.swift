/// A dictionary from byte strings to ids. Keys compare byte by byte (Swift's `String` takes canonically equivalent ones for
/// one key, a vocabulary doesn't), and are looked up from any stretch of a text without a copy.
struct ByteTable: Sendable {
  private var keys: [UInt8] = []
  private var ends: [Int] = [0]
  private var ids: [Int32] = []
  /// Index of an entry, or -1; a power of two of them, at most half taken.
  private var slots: [Int32] = Array(repeating: -1, count: 16)
  /// Of this process only: who chooses keys can't choose where they fall.
  private let seed = Self.seed
  private static let seed = (
    start: UInt64.random(in: 0 ... .max), factor: UInt64.random(in: 0 ... .max) | 1
  )

  /// The number of different keys.
  var count: Int { ids.count }

  /// The id of `key`; a second value replaces the first, as in a Python `dict`.
  subscript(key: Span<UInt8>) -> Int32? {
    get {
      let entry = slots[slot(of: key)]
      return entry < 0 ? nil : ids[Int(entry)]
    }
    set {
      guard let newValue else { return }
      var place = slot(of: key)
      if slots[place] >= 0 {
        ids[Int(slots[place])] = newValue
        return
      }
      if 2 * (ids.count + 1) > slots.count {
        grow()
        place = slot(of: key)
      }
      slots[place] = Int32(ids.count)
      ids.append(newValue)
      for index in key.indices { keys.append(key[index]) }
      ends.append(keys.count)
    }
  }

  subscript(key: [UInt8]) -> Int32? {
    get { self[key.span] }
    set { self[key.span] = newValue }
  }

  /// Every key with its id, in the order in which they came.
  var entries: [(key: [UInt8], id: Int32)] {
    ids.indices.map { (Array(keys[ends[$0]..<ends[$0 + 1]]), ids[$0]) }
  }

  private func slot(of key: Span<UInt8>) -> Int {
    var place = hash(key) & (slots.count - 1)
    while slots[place] >= 0, !holds(key, at: Int(slots[place])) {
      place = (place + 1) & (slots.count - 1)
    }
    return place
  }

  private func holds(_ key: Span<UInt8>, at entry: Int) -> Bool {
    let start = ends[entry]
    guard ends[entry + 1] - start == key.count else { return false }
    for index in key.indices where keys[start + index] != key[index] { return false }
    return true
  }

  /// Eight bytes at a time by folded products, as wyhash does it.
  private func hash(_ key: Span<UInt8>) -> Int {
    key.withUnsafeBytes { bytes in
      var hash = seed.start ^ UInt64(bytes.count)
      func mix(_ word: UInt64) {
        let product = (hash ^ word).multipliedFullWidth(by: seed.factor)
        hash = product.high ^ product.low
      }
      var at = 0
      while at + 8 <= bytes.count {
        mix(bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self))
        at += 8
      }
      var rest: UInt64 = 0
      while at < bytes.count {
        rest = rest << 8 | UInt64(bytes[at])
        at += 1
      }
      mix(rest)
      mix(0)
      return Int(truncatingIfNeeded: hash)
    }
  }

  private mutating func grow() {
    slots = Array(repeating: -1, count: 2 * slots.count)
    for entry in ids.indices {
      let place = keys.span.withSlot(from: ends[entry], to: ends[entry + 1]) { slot(of: $0) }
      slots[place] = Int32(entry)
    }
  }
}

extension Span where Element == UInt8 {
  fileprivate func withSlot(from start: Int, to end: Int, _ body: (Span<UInt8>) -> Int) -> Int {
    body(extracting(start..<end))
  }
}
