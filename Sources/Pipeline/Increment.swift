import Foundation
import Layers
import Shards

/// The ordered list of shards a run works on, pinned before it works, so that a resume finishes exactly this.
struct Increment: Codable, Equatable, Sendable {
  struct Shard: Codable, Equatable, Sendable {
    var path: String
    /// The base name without `.tar` and the like.
    var name: String
    /// Nil when the shard couldn't be opened; the run reports that as the shard's fault.
    var identity: FileIdentity?
    /// XXH3-128 of the file, hex; empty when it couldn't be opened.
    var digest: String

    var isReadable: Bool { identity != nil }

    /// - Throws: `RunError.shardChanged` when size or time of change aren't what was pinned.
    func checkUnchanged() throws(RunError) {
      guard let identity else { return }
      let now = try FileIdentity(of: path)
      guard now.size == identity.size, now.modified == identity.modified else {
        throw .shardChanged(
          path: path, detail: "it had \(identity.size) bytes, now it has \(now.size)")
      }
    }
  }

  var formatVersion = StateJSON.formatVersion
  var shards: [Shard]

  /// Pins `list` in the run's folder, or checks that it is what was pinned there.
  static func pin(_ list: [ShardPath], in run: RunContext) throws -> Increment {
    for shard in list { try refuseWinnowOutput(shard.path) }
    let file = run.directory.increment
    guard FileManager.default.fileExists(atPath: file) else {
      let increment = Increment(shards: try look(at: list, known: [], run))
      try run.publishing.publish(json: increment, to: file)
      return increment
    }
    let pinned = try StateJSON.decode(Increment.self, from: file)
    if let difference = difference(pinned.shards.map(\.path), list.map(\.path)) {
      throw RunError.otherShards(directory: run.directory.path, detail: difference)
    }
    let now = try look(at: list, known: pinned.shards, run)
    for (old, new) in zip(pinned.shards, now) where old.digest != new.digest {
      throw RunError.shardChanged(path: new.path, detail: "its digest isn't the pinned one")
    }
    if now != pinned.shards {
      // Touched or copied back, byte for byte the same.
      try run.publishing.publish(json: Increment(shards: now), to: file)
    }
    return Increment(shards: now)
  }

  /// Size, time, inode and digest of each; a shard with a known identity isn't opened again.
  private static func look(
    at list: [ShardPath], known: [Shard], _ run: RunContext
  ) throws -> [Shard] {
    let progress = ProgressCounter(.pin, total: list.count, observe: run.observe)
    return try parallelMap(list.count, workers: run.workers) { i in
      defer { progress.add(done: 1) }
      let shard = list[i]
      guard let identity = try? FileIdentity(of: shard.path) else {
        return Shard(path: shard.path, name: shard.name, identity: nil, digest: "")
      }
      if known.indices.contains(i), known[i].identity == identity { return known[i] }
      do {
        let digest = try Digest.ofFile(shard.path, cancellation: run.cancellation)
        return Shard(path: shard.path, name: shard.name, identity: identity, digest: digest)
      } catch RunError.file {
        return Shard(path: shard.path, name: shard.name, identity: nil, digest: "")
      }
    }
  }

  private static func difference(_ old: [String], _ new: [String]) -> String? {
    if old == new { return nil }
    let arrived = Set(new).subtracting(old).count
    let gone = Set(old).subtracting(new).count
    if arrived + gone == 0 { return "the same ones in another order" }
    return "\(arrived) new, \(gone) gone, \(old.count) then"
  }

  /// Cleaning what Winnow wrote would judge kept pairs by what they taught.
  private static func refuseWinnowOutput(_ path: String) throws(RunError) {
    var folder = URL(fileURLWithPath: path).resolvingSymlinksInPath().deletingLastPathComponent()
    while folder.path != "/" {
      if FileManager.default.fileExists(atPath: folder.path + "/.winnow") {
        throw .insideOutput(shard: path, output: folder.path)
      }
      folder.deleteLastPathComponent()
    }
  }
}
