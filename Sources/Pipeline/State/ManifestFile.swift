import Foundation

/// `DIR/manifest.json` as it lies on the disk: the manifest's own fields, then `files` (bytes of what is published beside
/// the shards, by path below the folder) and `shards`, with an entry a line. Both are read and written line by line: as one
/// document, a million shards would take gigabytes of memory.
struct ManifestFile {
  private static let remedy = "the run isn't finished: `winnow clean`"

  private enum Section {
    case files, shards

    /// The lines that begin and end it.
    var start: String { self == .files ? #"  "files" : {"# : #"  "shards" : ["# }
    var end: String { self == .files ? "  }," : "  ]" }
  }

  /// After the shards.
  private static let end = "\n\(Section.shards.end)\n}\n"

  /// A manifest's sections, as an older Winnow or another program wrote them.
  private struct Document: Decodable {
    var files: [String: Int64]?
    var shards: [Manifest.Shard]
  }

  /// What an increment adds.
  struct Addition {
    var increment: Increment
    /// A file of `line`s, one a shard.
    var shards: String
  }

  let path: String

  // MARK: Reading

  /// - Throws: `RunError.missing`, `.otherFormat`, `.damagedState`.
  func manifest() throws(RunError) -> Manifest {
    if let head = try head() {
      do {
        return try StateJSON.decode(Manifest.self, from: head, of: path)
      } catch {
        // Its own fields may come in another order.
        guard case .damagedState = error else { throw error }
      }
    }
    return try StateJSON.decode(Manifest.self, from: path, remedy: Self.remedy)
  }

  /// The manifest's own fields; nil where the file isn't written by lines, or isn't whole.
  private func head() throws(RunError) -> Data? {
    let lines = try LineReader(path, remedy: Self.remedy)
    let end = Data(Self.end.utf8)
    guard let file = FileHandle(forReadingAtPath: path),
      let size = try? file.seekToEnd(), size >= end.count,
      (try? file.seek(toOffset: size - UInt64(end.count))) != nil,
      (try? file.readToEnd()) == end
    else { return nil }
    var head = Data()
    while let line = try lines.next() {
      if line.elementsEqual(Section.files.start.utf8) {
        return StateJSON.entry(head) + Data("}".utf8)
      }
      head += line
    }
    return nil
  }

  /// Goes through a section's entries, as they are written.
  private func forEachEntry(of section: Section, _ body: (Data) throws -> Void) throws {
    guard try head() != nil else {
      let document = try StateJSON.decode(Document.self, from: path, remedy: Self.remedy)
      switch section {
      case .files:
        for (file, bytes) in (document.files ?? [:]).sorted(by: { $0.key < $1.key }) {
          try body(try Self.line(file, bytes))
        }
      case .shards: for shard in document.shards { try body(try Self.line(shard)) }
      }
      return
    }
    let lines = try LineReader(path, remedy: Self.remedy)
    while let line = try lines.next(), !line.elementsEqual(section.start.utf8) {}
    while let line = try lines.next() {
      if line.elementsEqual(section.end.utf8) { return }
      try body(StateJSON.entry(line))
    }
    throw RunError.damagedState(file: path, detail: "it ends among its \(section.start)")
  }

  /// The files that are published beside the shards: path below the folder, and bytes.
  /// - Throws: `RunError.missing`, `.damagedState`, and what `body` throws.
  func forEachFile(_ body: (String, Int64) throws -> Void) throws {
    let decoder = JSONDecoder()
    try forEachEntry(of: .files) { line in
      let entry = try decode(
        [String: Int64].self, Data("{".utf8) + line + Data("}".utf8), by: decoder)
      for (file, bytes) in entry { try body(file, bytes) }
    }
  }

  /// The input shards, in their order.
  /// - Throws: as `forEachFile`.
  func forEachShard(_ body: (Manifest.Shard) throws -> Void) throws {
    let decoder = StateJSON.lineDecoder
    try forEachEntry(of: .shards) { try body(try decode(Manifest.Shard.self, $0, by: decoder)) }
  }

  /// Holds the number of shards against that of the increments.
  /// - Throws: as `forEachFile`.
  func checkShards(of manifest: Manifest) throws {
    var count = 0
    try forEachEntry(of: .shards) { _ in count += 1 }
    try check(count, manifest)
  }

  private func check(_ count: Int, _ manifest: Manifest) throws(RunError) {
    // Wrapping: what is damaged may hold any number.
    let shards = manifest.increments.reduce(0) { $0 &+ $1.shards }
    guard count == shards else {
      throw .damagedState(
        file: path, detail: "it tells of \(count) shards, its increments of \(shards)")
    }
  }

  /// The input shards that couldn't be read to their end.
  /// - Throws: as `forEachFile`.
  func faults(of manifest: Manifest) throws -> [(path: String, message: String)] {
    var faults: [(path: String, message: String)] = []
    guard !manifest.ledger.faults.isEmpty else { return faults }
    try forEachShard { shard in
      if let fault = shard.fault { faults.append((shard.path, shard.message ?? fault)) }
    }
    return faults
  }

  private func decode<T: Decodable>(
    _ type: T.Type, _ line: Data, by decoder: JSONDecoder
  ) throws(RunError) -> T {
    do {
      return try decoder.decode(type, from: line)
    } catch {
      throw .damagedState(
        file: path, detail: "\(String(decoding: line.prefix(200), as: UTF8.self)): \(error)")
    }
  }

  // MARK: Writing

  static func line(_ shard: Manifest.Shard) throws -> Data {
    Data("    ".utf8) + (try StateJSON.lineEncoder.encode(shard))
  }

  private static func line(_ file: String, _ bytes: Int64) throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .withoutEscapingSlashes
    return Data("    ".utf8) + (try encoder.encode(file)) + Data(" : \(bytes)".utf8)
  }

  /// Puts the manifest in its place.
  /// - Parameters:
  ///   - earlier: whose files and shards it goes on from.
  ///   - addition: what comes after those.
  func publish(
    _ manifest: Manifest, after earlier: ManifestFile?, adding addition: Addition?,
    in run: RunContext
  ) throws {
    try run.publishing.publish(path) {
      try write(manifest, after: earlier, adding: addition, to: $0, in: run)
    }
  }

  private func write(
    _ manifest: Manifest, after earlier: ManifestFile?, adding addition: Addition?,
    to draft: String, in run: RunContext
  ) throws {
    var file = try LineWriter(draft, for: path)
    var separator = ""
    func begin(_ section: Section) throws {
      try file.write(section.start)
      separator = "\n"
    }
    func add(_ line: Data) throws {
      try file.write(separator)
      try file.write(line)
      separator = ",\n"
    }
    try file.write(try StateJSON.encode(manifest).dropLast("\n}\n".utf8.count))
    try file.write(",\n")
    try begin(.files)
    // Judges and noise model stay what they were; decisions are an increment's own.
    var published: Set<Data> = []
    try earlier?.forEachEntry(of: .files) { line in
      if !line.starts(with: Data(#"    "decisions/"#.utf8)) {
        published.insert(line.prefix { $0 != UInt8(ascii: ":") })
      }
      try add(line)
    }
    if let addition {
      try OutputCheck.forEachFile(of: addition.increment, in: run) { path, bytes in
        let line = try Self.line(path, bytes)
        if !published.contains(line.prefix { $0 != UInt8(ascii: ":") }) { try add(line) }
      }
    }
    try file.write("\n\(Section.files.end)\n")
    try begin(.shards)
    var count = 0
    let decoder = StateJSON.lineDecoder
    try earlier?.forEachEntry(of: .shards) { line in
      // What can't be read isn't handed on.
      _ = try decode(Manifest.Shard.self, line, by: decoder)
      try add(line)
      count += 1
    }
    if let addition {
      let lines = try LineReader(addition.shards, remedy: "run the same command again")
      while let line = try lines.next() {
        try add(line)
        count += 1
      }
    }
    try check(count, manifest)
    try file.write(Self.end)
    try file.close()
  }
}
