import Foundation
import Layers
import Shards

/// The ordered list of shards a run works on, pinned before it works, so that a resume finishes exactly this.
struct Increment: Codable, Equatable, Sendable {
  struct Shard: Codable, Equatable, Sendable {
    /// Absolute.
    var path: String
    /// The base name without `.tar` and the like.
    var name: String
    /// Nil when the shard couldn't be read; the run reports that as the shard's fault.
    var identity: FileIdentity?
    /// XXH3-128 of the file, hex; empty when it couldn't be read to its end. No pass takes pairs of such a one, so that
    /// none is published before it is judged as a new one.
    var digest: String

    /// Its path as dictionaries tell it from others.
    var place: ShardPath { ShardPath(path: path) }

    /// - Throws: `RunError.shardChanged` when size or time of change aren't what was pinned.
    func checkUnchanged() throws(RunError) {
      guard let identity else { return }
      let now = try FileIdentity(of: path)
      if now.size != identity.size {
        throw .shardChanged(
          path: path, detail: "it had \(identity.size) bytes, now it has \(now.size)")
      }
      if now.modified != identity.modified {
        throw .shardChanged(path: path, detail: "it was written to, though its size is the same")
      }
    }

    /// What ends the run where a shard that could be read when it was pinned can't be now: as a fault, it would be published
    /// for good without its pairs, and the next run heals it.
    /// - Parameters:
    ///   - fault: its reader's.
    ///   - message: its reader's.
    /// - Returns: nil where nothing is wrong, or the bytes are.
    func failure(_ fault: ShardFault?, _ message: String?) -> RunError? {
      guard !digest.isEmpty, fault == .cannotOpen || fault == .cannotRead else { return nil }
      let cause = reason(message ?? "no reason is told", of: path)
      return .badInput(
        file: path, detail: "it could be read when it was pinned, and can't be now (\(cause))",
        remedy: "run the same command again once it can be, or move it away to go on without it")
    }
  }

  var formatVersion = StateJSON.formatVersion
  /// Its number in the output folder, and the number of its first shard there.
  var index = 0
  var firstShard = 0
  var shards: ShardTable

  /// Pins the shards in the run's folder, or checks that they are what was pinned there: the same names and bytes in the
  /// same order, wherever they lie now.
  static func pin(_ selection: ShardSelection, in run: RunContext) throws -> Increment {
    try pin(selection.shards, to: run.directory.increment(0), in: run)
  }

  /// As above, for any list of files, pinned in `file`.
  static func pin(_ list: ShardPaths, to file: String, in run: RunContext) throws -> Increment {
    guard FileManager.default.fileExists(atPath: file) else {
      let increment = Increment(shards: try look(at: list, run) { _, _ in nil })
      try increment.checkReadable()
      try increment.publish(to: file, in: run)
      DigestJournal.remove(in: run)
      return increment
    }
    let pinned = try Increment(at: file).shards
    if let difference = difference(pinned.lazy.map(\.name), list.lazy.map(\.name)) {
      throw RunError.otherShards(directory: run.directory.path, detail: difference)
    }
    var now = try look(at: list, run) { i, _ in i < pinned.count ? pinned[i] : nil }
    for (i, old) in pinned.enumerated() where old.digest != now[i].digest {
      if now[i].digest.isEmpty {
        throw RunError.shardChanged(path: now[i].path, detail: "it can't be opened any more")
      }
      guard old.digest.isEmpty else {
        throw RunError.shardChanged(path: now[i].path, detail: "its digest isn't the pinned one")
      }
      // It can be opened by now: good, unless shards that lack it have been published.
      if run.directory.isPlanned(0) { now[i] = old }
    }
    let increment = Increment(shards: now)
    if now != pinned { try increment.publish(to: file, in: run) }
    DigestJournal.remove(in: run)
    return increment
  }

  /// Refuses to begin a folder with shards of which none can be opened: a path is wrong, or a disk isn't there.
  /// - Throws: `RunError.badInput`.
  func checkReadable() throws(RunError) {
    guard let first = shards.first, shards.allSatisfy(\.digest.isEmpty) else { return }
    throw .badInput(
      file: first.path,
      detail: shards.count == 1
        ? "it can't be opened" : "neither it nor any other of \(shards.count) shards can be opened",
      remedy: "check the paths, their permissions and the mount")
  }

  /// Size, time, inode and digest of each; a shard with a known identity isn't opened again.
  /// - Parameter known: the shard as it was pinned, by its number in the list and its absolute path.
  static func look(
    at list: ShardPaths, _ run: RunContext, known: @escaping @Sendable (Int, ShardPath) -> Shard?
  ) throws -> ShardTable {
    let progress = ProgressCounter(.pin, total: list.count, observe: run.observe)
    let journal = try DigestJournal(in: run)
    var table = ShardTable()
    // In parts, since what comes of one takes several times its place in the table.
    let part = 4096
    for first in stride(from: 0, to: list.count, by: part) {
      let shards = try parallelMap(min(part, list.count - first), workers: run.workers) { i in
        defer { progress.add(done: 1) }
        try run.cancellation.check()
        return try look(at: list[first + i], journal, run) { known(first + i, $0) }
      }
      for shard in shards { table.append(shard) }
    }
    return table
  }

  private static func look(
    at listed: ShardPath, _ journal: DigestJournal, _ run: RunContext,
    known: (ShardPath) -> Shard?
  ) throws -> Shard {
    var shard = Shard(
      path: absolutePath(listed.path), name: listed.name, identity: nil, digest: "")
    if ShardPath.isPipe(shard.path) {
      let spool = "\(run.directory.temporary)/\(UInt64.random(in: 0 ... .max))-piped.tar"
      defer { unlink(spool) }
      let outcome = try PipedShard.run(shard.path, to: spool, in: run)
      if let failure = outcome.failure {
        run.observe(.note("\(shard.path): \(failure)"))
      } else {
        shard.digest = outcome.digest
      }
      return shard
    }
    guard let identity = try? FileIdentity(of: shard.path) else { return shard }
    if let old = known(shard.place), old.identity == identity {
      shard.digest = old.digest
    } else if let digest = journal.digest(of: shard.place, identity) {
      shard.digest = digest
    } else {
      do {
        shard.digest = try Digest.ofFile(shard.path, cancellation: run.cancellation)
      } catch RunError.file {
        return shard
      }
      journal.add(shard, identity)
    }
    shard.identity = identity
    return shard
  }

  /// What identifies the bytes of all of them.
  var digests: String {
    var text = ""
    for i in shards.indices { text += (i == 0 ? "" : "\n") + shards[i].digest }
    return text
  }

  /// The same in 32 hex digits.
  var digest: String { Digest.of(Array(digests.utf8)) }

  private static func difference(
    _ old: some Collection<String>, _ new: some Collection<String>
  ) -> String? {
    if old.elementsEqual(new) { return nil }
    let arrived = Set(new).subtracting(old).count
    let gone = Set(old).subtracting(new).count
    if arrived + gone == 0 {
      return old.count == new.count
        ? "the same ones in another order" : "\(old.count) then, \(new.count) now"
    }
    return "\(arrived) new, \(gone) gone, \(old.count) then"
  }
}

/// A reader's message without the path that it begins with.
func reason(_ message: String, of path: String) -> String {
  guard message.hasPrefix(path) else { return message }
  return String(message.dropFirst(path.count).drop(while: { ":, ".contains($0) }))
}
