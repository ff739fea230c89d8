import Foundation

/// An increment's file is JSON with a shard a line, written and read line by line: as one document, a million shards would
/// take several times their file in memory.
extension Increment {
  private static let end = "]}"

  func publish(to path: String, in run: RunContext) throws {
    try run.publishing.publish(path) { draft in
      do {
        try write(to: draft)
      } catch {
        throw RunError.file(path: path, operation: "write", code: systemCode(of: error))
      }
    }
  }

  func write(to path: String) throws {
    let url = URL(fileURLWithPath: path)
    try Data().write(to: url)
    let file = try FileHandle(forWritingTo: url)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    // Its shards come last in the order of the keys.
    let empty = Increment(index: index, firstShard: firstShard, shards: ShardTable())
    var lines = try encoder.encode(empty).dropLast(Self.end.utf8.count)
    for i in shards.indices {
      lines += Data((i == 0 ? "\n" : ",\n").utf8) + (try encoder.encode(shards[i]))
      if lines.count > 1 << 16 {
        try file.write(contentsOf: lines)
        lines.removeAll(keepingCapacity: true)
      }
    }
    try file.write(contentsOf: lines + Data("\n\(Self.end)\n".utf8))
    try file.close()
  }

  /// - Throws: `RunError.missing`, `.file`, `.otherFormat` or `.damagedState`.
  init(at path: String) throws(RunError) {
    guard let file = fopen(path, "re") else {
      throw StateJSON.unreadable(path, errno, remedy: "run the same command again")
    }
    defer { fclose(file) }
    var line: UnsafeMutablePointer<CChar>?
    defer { free(line) }
    var capacity = 0
    func next() -> Data {
      let count = getline(&line, &capacity, file)
      guard count > 0, let line else { return Data() }
      var text = Data(bytes: line, count: count)
      while let last = text.last, ",\n".utf8.contains(last) { text.removeLast() }
      return text
    }
    let head = next()
    guard head.last == UInt8(ascii: "[") else {
      // As earlier versions wrote it, or damaged.
      self = try StateJSON.decode(Increment.self, from: path)
      return
    }
    self = try StateJSON.decode(Increment.self, from: head + Data(Self.end.utf8), of: path)
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    while case let text = next(), !text.elementsEqual(Self.end.utf8) {
      do {
        shards.append(try decoder.decode(Shard.self, from: text))
      } catch {
        throw .damagedState(file: path, detail: "shard \(shards.count): \(error)")
      }
    }
  }
}
