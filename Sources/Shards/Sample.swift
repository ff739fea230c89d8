/// One file of a tar: its name as the raw bytes the archive holds, and its content.
public struct Member: Sendable, Equatable {
  /// The path as stored, not necessarily UTF-8.
  public var name: [UInt8]
  public var bytes: [UInt8]

  public init(name: [UInt8], bytes: [UInt8]) {
    self.name = name
    self.bytes = bytes
  }
}

/// A WebDataset sample: adjacent members of a shard that share a key.
public struct Sample: Sendable, Equatable {
  /// The path up to the first dot of its base name (the directory belongs to the key).
  public var key: [UInt8]
  /// In archive order.
  public var members: [Member]
  /// Of a large one that is read within a budget.
  var hold: HoldingBudget.Hold?

  public init(key: [UInt8], members: [Member]) {
    self.key = key
    self.members = members
  }

  public static func == (a: Self, b: Self) -> Bool { a.key == b.key && a.members == b.members }
}
