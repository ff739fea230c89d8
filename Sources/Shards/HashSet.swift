/// Which hashes were seen.
struct HashSet {
  /// Open addressing, at most half full; 0 is empty.
  private var slots = SpilledArray<UInt64>(repeating: 0, count: 64)
  private var count = 0

  /// False where it was there before.
  mutating func insert(_ hash: Int) -> Bool {
    let hash = Swift.max(1, UInt64(bitPattern: Int64(hash)))
    if 2 * count >= slots.count {
      var larger = SpilledArray<UInt64>(repeating: 0, count: 4 * slots.count)
      for hash in slots where hash != 0 { larger[Self.slot(of: hash, in: larger)] = hash }
      slots = larger
    }
    let slot = Self.slot(of: hash, in: slots)
    if slots[slot] == hash { return false }
    slots[slot] = hash
    count += 1
    return true
  }

  /// Where it is, or where it would go.
  private static func slot(of hash: UInt64, in slots: SpilledArray<UInt64>) -> Int {
    var slot = Int(hash % UInt64(slots.count))
    while slots[slot] != 0, slots[slot] != hash { slot = (slot + 1) % slots.count }
    return slot
  }
}
