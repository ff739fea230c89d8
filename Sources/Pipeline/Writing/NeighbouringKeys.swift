/// The keys that the next sample of an output shard would stand beside: readers merge or refuse equal ones that are
/// adjacent.
struct NeighbouringKeys: Equatable {
  /// Of the sample added last: its own, and the one it is written under.
  private var keys: [[UInt8]] = []

  /// Whether the shard must end before a sample that is written under this key.
  func contains(_ key: [UInt8]) -> Bool { keys.contains(key) }

  /// Goes on with the next sample of the shard.
  /// - Returns: what stands for its key, if that leaves the folder, or if the sample is dropped for another reason than its
  ///   scores and would repeat a neighbour's key: shards that end between those would be as many as a hostile shard has
  ///   members. Nil for others.
  mutating func add(_ key: [UInt8], reason: String, _ shard: Int, _ ordinal: Int) -> [UInt8]? {
    let isRepeated = !Reason.isOfPair(reason) && contains(key)
    var replacement: [UInt8]?
    if isRepeated || reason == Reason.unsafeName {
      let why = isRepeated ? "repeated" : "unsafe"
      var name = "\(why)-\(RunDirectory.padded(shard))-\(RunDirectory.padded(ordinal))"
      // Somebody may have seen it coming.
      while contains(Array(name.utf8)) { name += "-" }
      replacement = Array(name.utf8)
    }
    keys = [key, replacement ?? key]
    return replacement
  }
}
