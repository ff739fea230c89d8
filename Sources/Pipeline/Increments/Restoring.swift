import Foundation
import Shards

/// Pairs on their way back: pinned before a shard of them appears, so that a killed command is finished by the next one,
/// and kept for a manifest that must be made again.
struct Restoring: Codable {
  struct Item: Codable {
    var pair: RestoredPair
    /// Of the pair; the one after them is Winnow's note.
    var members: Int
  }

  var formatVersion = StateJSON.formatVersion
  /// Those finished before.
  var increments: Int
  /// In the order of the rejected shards; each names its clean shard.
  var items: [Item] = []

  /// Looks for the pairs.
  init(
    _ keys: [[UInt8]], _ manifest: Manifest, _ result: inout RestoreResult, in run: RunContext
  ) throws {
    increments = manifest.increments.count
    let wanted = Set(keys)
    var found: Set<[UInt8]> = []
    let known = Set(manifest.restored.map { "\($0.rejected) \($0.ordinal)" })
    let suffix = manifest.provenance.configuration.write?.suffix ?? ".tar.zst"
    let size = manifest.provenance.configuration.write?.shardSize ?? 10_000
    var (index, count, lastKey) = (manifest.clean.count, 0, [UInt8]())
    var (repeats, tooMany) = (0, 0)
    let dropped = try DroppedOutput(of: run.directory).rejected
    for (i, output) in manifest.rejected.enumerated() {
      let path = "\(run.directory.rejected)/\(output.file)"
      if i < dropped, !FileManager.default.fileExists(atPath: path) { continue }
      let reader = ShardReader(
        path: path, limits: try Self.limits(in: run))
      let names = MemberNames()
      var ordinal = -1
      while let event = reader.next(spillingTo: names) {
        try run.cancellation.check()
        ordinal += 1
        let (key, members) = names.take(event)
        // Who copies a long key from a table has its short form.
        guard let name = [key, tableKey(key)].first(where: wanted.contains) else { continue }
        found.insert(name)
        if known.contains("\(output.file) \(ordinal)") {
          result.already += 1
          continue
        }
        guard members.count > 1, Self.isNote(members[members.count - 1], of: key) else {
          result.problems.append(
            "\(text(key)) doesn't end with Winnow's note; unpack it from rejected/\(output.file)")
          continue
        }
        // Readers merge or refuse equal keys that are adjacent.
        let isRepeat = count > 0 && lastKey == key
        if isRepeat { repeats += 1 }
        if repeats > DecideStage.maxRepeats {
          tooMany += 1
          continue
        }
        if count == size || isRepeat { (index, count) = (index + 1, 0) }
        (count, lastKey) = (count + 1, key)
        let pair = RestoredPair(
          key: text(key), rejected: output.file, ordinal: ordinal,
          clean: RunDirectory.padded(index) + suffix)
        items.append(Item(pair: pair, members: members.count - 1))
      }
      if let message = reader.message { throw RunError.publishing(message) }
    }
    if tooMany > 0 {
      result.problems.append(
        "more than \(DecideStage.maxRepeats) pairs have the key of the one before them; \(tooMany) from there on are left out: "
          + "restore fewer keys at a time, or unpack them from rejected/")
    }
    result.problems += wanted.subtracting(found).map(text).sorted().map {
      "no rejected pair has the key \($0)"
    }
  }

  private static func isNote(_ name: [UInt8], of key: [UInt8]) -> Bool {
    name.starts(with: key + Array(".winnow.".utf8)) && name.suffix(5).elementsEqual(".json".utf8)
  }

  /// What the run held in memory, and the note.
  private static func limits(in run: RunContext) throws -> ReadLimits {
    var limits = (try Settings.provenance(in: run).read ?? ReadConfiguration()).limits
    // It may be set as high as numbers go.
    limits.maxSampleBytes = min(limits.maxSampleBytes, Int.max - (1 << 20)) + (1 << 20)
    limits.maxMembers += 1
    limits.maxSamples = .max
    limits.maxExpansion = .max
    return limits
  }

  /// Writes what is pinned, if anything is.
  /// - Returns: the clean shards of it.
  @discardableResult
  static func finish(in run: RunContext) throws -> [String] {
    let files = FileManager.default
    // A manifest that is lost is made again first, and with it what is pinned.
    guard files.fileExists(atPath: run.directory.restoring),
      files.fileExists(atPath: run.directory.manifest)
    else { return [] }
    var order = try StateJSON.decode(Restoring.self, from: run.directory.restoring)
    var manifest = try Manifest(of: run.directory)
    // One that is older is brought up to it first.
    guard
      order.increments == manifest.increments.count
        || order.items.map(\.pair).allSatisfy(Set(manifest.restored).contains)
    else { return [] }
    try order.giveUpWhatIsGone(in: run)
    let paths: [String]
    do {
      paths = try order.enter(&manifest, in: run)
    } catch {
      try run.cancellation.check()
      throw RunError.badInput(
        file: run.directory.restoring,
        detail: "the pairs that `winnow restore` was asked for can't be put back: \(error)",
        remedy: "once that is mended the same command goes on; delete this file to give them up")
    }
    if !paths.isEmpty {
      let file = ManifestFile(path: run.directory.manifest)
      try file.publish(manifest, after: file, adding: nil, in: run)
    }
    try run.directory.makeFolder(run.directory.restored)
    let number = try files.contentsOfDirectory(atPath: run.directory.restored).count
    let place = "\(run.directory.restored)/\(RunDirectory.padded(number)).json"
    guard rename(run.directory.restoring, place) == 0 else {
      throw RunError.file(path: place, operation: "rename into place", code: errno)
    }
    return paths
  }

  /// Forgets the pairs whose rejected shard was deleted, and those that would be written after them: clean shards are
  /// numbered without a gap.
  private mutating func giveUpWhatIsGone(in run: RunContext) throws {
    let files = FileManager.default
    // Not where a disk isn't mounted.
    let rejected = (try? files.contentsOfDirectory(atPath: run.directory.rejected)) ?? []
    guard
      DroppedOutput.isDeleted(run.directory.rejected)
        || rejected.contains(where: { $0.contains(".tar") })
    else { return }
    let lost = items.first { item in
      !files.fileExists(atPath: "\(run.directory.clean)/\(item.pair.clean)")
        && DroppedOutput.isDeleted("\(run.directory.rejected)/\(item.pair.rejected)")
    }
    guard let lost else { return }
    let before = items.count
    items.removeAll { $0.pair.clean >= lost.pair.clean }
    run.observe(
      .note(
        "\(counted(before - items.count, "pair")) that `winnow restore` was asked for can't be put back: "
          + "rejected/\(lost.pair.rejected) is gone"))
    try run.publishing.publish(json: self, to: run.directory.restoring)
  }

  /// Refuses a manifest that was put back from a time before pairs were restored: the next shards would take the place of
  /// theirs.
  /// - Throws: `RunError.badInput`.
  static func check(_ manifest: Manifest, in run: RunContext) throws {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: run.directory.restored)) ?? []
    let known = Set(manifest.restored)
    for name in names.sorted() {
      let order = try StateJSON.decode(
        Restoring.self, from: "\(run.directory.restored)/\(name)")
      guard order.increments <= manifest.increments.count,
        !order.items.allSatisfy({ known.contains($0.pair) })
      else { continue }
      throw RunError.badInput(
        file: run.directory.manifest,
        detail: "it is older than pairs that `winnow restore` put back, of which it doesn't tell",
        remedy: "put the newest back, or delete it: then it is made again")
    }
  }

  /// Enters what was restored after the last increment of a manifest that is made again.
  static func recover(_ manifest: inout Manifest, in run: RunContext) throws {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: run.directory.restored)) ?? []
    let kept = names.sorted().map { "\(run.directory.restored)/\($0)" }
    for file in kept + [run.directory.restoring]
    where FileManager.default.fileExists(atPath: file) {
      let order = try StateJSON.decode(Restoring.self, from: file)
      if order.increments == manifest.increments.count { _ = try order.enter(&manifest, in: run) }
    }
  }

  /// Writes the shards that aren't there, and enters all into the manifest.
  /// - Returns: the clean shards of it; none if it is in the manifest.
  private func enter(_ manifest: inout Manifest, in run: RunContext) throws -> [String] {
    guard !items.map(\.pair).allSatisfy(Set(manifest.restored).contains) else { return [] }
    let files = Dictionary(grouping: items, by: \.pair.clean).sorted { $0.key < $1.key }
    try run.directory.makeFolder(run.directory.clean)
    var source: Source?
    var sizes = Dictionary(manifest.clean.map { ($0.file, $0.pairs) }) { $1 }
    for (file, items) in files { sizes[file] = items.count }
    try run.publishing.publish(json: sizes, to: "\(run.directory.clean)/sizes.json")
    var paths: [String] = []
    for (file, items) in files {
      let path = "\(run.directory.clean)/\(file)"
      if !FileManager.default.fileExists(atPath: path) {
        try Self.write(items, from: &source, to: path, in: run)
      }
      manifest.clean.append(
        Manifest.Output(
          file: file, pairs: items.count, bytes: try FileIdentity(of: path).size,
          digest: try Digest.ofFile(path, cancellation: run.cancellation)))
      paths.append(path)
    }
    manifest.restored += items.map(\.pair)
    return paths
  }

  /// A rejected shard, and the number of its sample that comes next.
  private typealias Source = (file: String, reader: ShardReader, next: Int)

  /// - Parameter open: what is gone through from one file to the next.
  private static func write(
    _ items: [Item], from open: inout Source?, to path: String, in run: RunContext
  ) throws {
    let write = try Settings.provenance(in: run).write ?? WriteConfiguration()
    try run.publishing.publish(path) { draft in
      let writer = try ShardWriter(path: draft, compression: write.compression)
      for item in items {
        try run.cancellation.check()
        let shard = "\(run.directory.rejected)/\(item.pair.rejected)"
        if open?.file != item.pair.rejected || open.map({ $0.next > item.pair.ordinal }) ?? true {
          open = (item.pair.rejected, ShardReader(path: shard, limits: try limits(in: run)), 0)
        }
        let members = RestoredMembers(
          item.members, to: writer, cancellation: run.cancellation)
        var key: [UInt8]?
        while let (file, reader, next) = open, next <= item.pair.ordinal {
          let isWanted = next == item.pair.ordinal
          guard let event = isWanted ? try reader.next(spillingTo: members) : reader.next() else {
            break
          }
          open = (file, reader, next + 1)
          if isWanted { key = try members.take(event) }
        }
        guard key.map(text) == item.pair.key else {
          // What broke is told by the step after it.
          if key == nil, let reader = open?.reader {
            _ = reader.next()
            if let message = reader.message { throw RunError.publishing(message) }
          }
          throw RunError.shardChanged(
            path: shard, detail: "sample \(item.pair.ordinal) isn't \(item.pair.key)")
        }
      }
      try writer.finish()
      try writer.sync()
    }
  }
}

private func text(_ key: [UInt8]) -> String { String(decoding: key, as: UTF8.self) }
