/// Which samples every output shard will hold, known before one of them is written.
struct Plan: Equatable {
  enum Destination: String, Codable, CodingKeyRepresentable, Sendable, CaseIterable {
    case clean, rejected
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
    var neighbours = NeighbouringKeys()
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
      guard let destination = table.destination(row) else { continue }
      append(row, of: table, at: Position(shard: shard, ordinal: row), to: destination)
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
    let (key, reason) = (table.keys[row], table.reasons[row])
    if Reason.isOfPair(reason), open[destination]?.neighbours.contains(key) == true {
      close(destination)
    }
    var opened =
      open[destination]
      ?? OpenUnit(
        unit: Unit(
          destination: destination, index: counts[destination, default: 0], start: place,
          end: place, pairs: 0))
    opened.unit.pairs += 1
    opened.unit.end = Position(shard: place.shard, ordinal: place.ordinal + 1)
    _ = opened.neighbours.add(key, reason: reason, firstShard + place.shard, row)
    open[destination] = opened
  }

  private mutating func close(_ destination: Destination) {
    guard let unit = open.removeValue(forKey: destination)?.unit else { return }
    units.append(unit)
    counts[destination, default: 0] += 1
  }
}
