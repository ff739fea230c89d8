import Foundation

/// An increment's file is JSON with a shard a line, written and read line by line: as one document, a million shards would
/// take several times their file in memory.
extension Increment {
  private static let end = "]}"

  func publish(to path: String, in run: RunContext) throws {
    try run.publishing.publish(path) { try write(to: $0, for: path) }
  }

  /// - Parameter name: the path that errors name.
  func write(to path: String, for name: String) throws {
    var file = try LineWriter(path, for: name)
    let encoder = StateJSON.lineEncoder
    // Its shards come last in the order of the keys.
    let empty = Increment(index: index, firstShard: firstShard, shards: ShardTable())
    try file.write(try encoder.encode(empty).dropLast(Self.end.utf8.count))
    for i in shards.indices {
      try file.write(i == 0 ? "\n" : ",\n")
      try file.write(try encoder.encode(shards[i]))
    }
    try file.write("\n\(Self.end)\n")
    try file.close()
  }

  /// - Throws: `RunError.missing`, `.file`, `.otherFormat` or `.damagedState`.
  init(at path: String) throws(RunError) {
    let lines = try LineReader(path, remedy: "run the same command again")
    guard let head = try lines.next(), head.last == UInt8(ascii: "[") else {
      // As earlier versions wrote it, or damaged.
      self = try StateJSON.decode(Increment.self, from: path)
      return
    }
    self = try StateJSON.decode(Increment.self, from: head + Data(Self.end.utf8), of: path)
    let decoder = StateJSON.lineDecoder
    while case let line = try lines.next() ?? Data(), !line.elementsEqual(Self.end.utf8) {
      do {
        shards.append(try decoder.decode(Shard.self, from: StateJSON.entry(line)))
      } catch {
        throw .damagedState(file: path, detail: "shard \(shards.count): \(error)")
      }
    }
  }
}
