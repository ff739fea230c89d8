/// Which samples every output shard will hold, known before one of them is written.
struct Plan: Equatable {
  enum Destination: String, Codable, CodingKeyRepresentable, Sendable, CaseIterable {
    case clean, rejected

    func takes(_ row: Int, of table: DecisionTable) -> Bool {
      self == .clean ? table.kept[row] : table.isRejected(row)
    }
  }

  /// A place in the increment's input order.
  struct Position: Codable, Equatable, Sendable {
    var shard: Int
    var ordinal: Int
  }

  /// One output shard: all samples of its destination from `start` up to, but not including, `end`.
  struct Unit: Codable, Equatable, Sendable {
    var destination: Destination
    var index: Int
    var start: Position
    var end: Position
    var pairs: Int

    func file(suffix: String) -> String { RunDirectory.padded(index) + suffix }

    /// Whether it begins and ends in so many shards, in this order; a file may say otherwise.
    func isWithin(shards: Int) -> Bool {
      let isOrdered =
        start.shard < end.shard || start.shard == end.shard && start.ordinal <= end.ordinal
      return isOrdered && start.shard >= 0 && end.shard < shards && start.ordinal >= 0
        && end.ordinal >= 0
    }
  }

  private(set) var units: [Unit] = []
  private let shardSize: Int
  private let firstShard: Int
  private var open: [Destination: OpenUnit] = [:]
  private var counts: [Destination: Int]

  private struct OpenUnit: Equatable {
    var unit: Unit
    /// Of the sample appended last: its own, and the one it is written under.
    var lastKeys: [[UInt8]]
  }

  /// - Parameters:
  ///   - firstShard: the number of the increment's first input shard in the folder.
  ///   - counts: output shards that earlier increments left.
  init(shardSize: Int, firstShard: Int = 0, after counts: [Destination: Int] = [:]) {
    (self.shardSize, self.firstShard, self.counts) = (shardSize, firstShard, counts)
  }

  /// Goes on with the next input shard.
  mutating func add(_ table: DecisionTable, shard: Int) {
    for row in 0..<table.count {
      for destination in Destination.allCases where destination.takes(row, of: table) {
        append(row, of: table, at: Position(shard: shard, ordinal: row), to: destination)
      }
    }
  }

  /// Closes the last shard of each destination.
  mutating func finish() {
    for destination in Destination.allCases { close(destination) }
    units.sort {
      ($0.destination.rawValue, $0.index) < ($1.destination.rawValue, $1.index)
    }
  }

  /// Pairs by file name, as `sizes.json` holds them.
  static func sizes(
    _ units: [Unit], of destination: Destination, suffix: String
  ) -> [String: Int] {
    let entries = units.filter { $0.destination == destination }.map {
      ($0.file(suffix: suffix), $0.pairs)
    }
    return Dictionary(uniqueKeysWithValues: entries)
  }

  private mutating func append(
    _ row: Int, of table: DecisionTable, at place: Position, to destination: Destination
  ) {
    if open[destination]?.unit.pairs == shardSize { close(destination) }
    let (own, reason) = (table.keys[row], table.reasons[row])
    let lastKeys = open[destination]?.lastKeys ?? []
    let replacement = replacementKey(
      of: own, reason: reason, firstShard + place.shard, row, after: lastKeys)
    if replacement == nil, lastKeys.contains(own) {
      // Readers merge or refuse equal keys that are adjacent, so a shard ends between them.
      close(destination)
    }
    var unit =
      open[destination]?.unit
      ?? Unit(
        destination: destination, index: counts[destination, default: 0], start: place, end: place,
        pairs: 0)
    unit.pairs += 1
    unit.end = Position(shard: place.shard, ordinal: place.ordinal + 1)
    open[destination] = OpenUnit(unit: unit, lastKeys: [own, replacement ?? own])
  }

  private mutating func close(_ destination: Destination) {
    guard let unit = open.removeValue(forKey: destination)?.unit else { return }
    units.append(unit)
    counts[destination, default: 0] += 1
  }
}

/// What stands for a key that leaves the folder, and for one that would come twice in a row where the sample was dropped
/// unseen: shards that end between those would be as many as a hostile shard has members. Nil for others.
/// - Parameter lastKeys: of the sample written before into the same output shard.
func replacementKey(
  of key: [UInt8], reason: String, _ shard: Int, _ ordinal: Int, after lastKeys: [[UInt8]]
) -> [UInt8]? {
  let isDroppedUnseen = !reason.isEmpty && reason != Reason.mismatch
  let isRepeated = isDroppedUnseen && lastKeys.contains(key)
  guard isRepeated || reason == Reason.unsafeName else { return nil }
  let why = isRepeated ? "repeated" : "unsafe"
  var name = "\(why)-\(RunDirectory.padded(shard))-\(RunDirectory.padded(ordinal))"
  // Somebody may have seen it coming.
  while lastKeys.contains(Array(name.utf8)) { name += "-" }
  return Array(name.utf8)
}
