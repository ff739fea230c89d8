import Foundation
import Shards

/// A corpus that is away tonight, as a disk is that isn't mounted, is no reason to go on without it.
extension IncrementLog {
  /// The first increment while nothing of it can have been published.
  private func unplannedFirst(in run: RunContext) -> Increment? {
    open.first.flatMap { $0.index == 0 && !run.directory.isPlanned(0) ? $0 : nil }
  }

  static func isThere(_ shard: Increment.Shard) -> Bool {
    ShardPath.isPipe(shard.path) || FileManager.default.fileExists(atPath: shard.path)
  }

  /// Refuses a list of which nothing can be read, and the first night's shards neither: the corpus is away.
  func checkReadable(_ now: Increment.ShardTable, in run: RunContext) throws(RunError) {
    guard let first = now.first, now.allSatisfy(\.digest.isEmpty),
      let corpus = unplannedFirst(in: run)
    else { return }
    let listed = Set(now.lazy.map(\.place))
    let isAway = corpus.shards.contains {
      !$0.digest.isEmpty && (listed.contains($0.place) || !Self.isThere($0))
    }
    guard isAway else { return }
    throw .badInput(
      file: first.path,
      detail: now.count == 1
        ? "it can't be opened" : "neither it nor any other of \(now.count) shards can be opened",
      remedy:
        "what an earlier run began with them waits; check the paths, their permissions and the mount"
    )
  }

  /// Refuses to go on without shards that went with their folder, as those of a disk do, while judges are yet to be learnt:
  /// without what may be back tomorrow, they would learn from the rest, for good.
  mutating func checkDeleted(
    _ k: Int, _ shard: Increment.Shard, in run: RunContext
  ) throws(RunError) {
    guard let corpus = unplannedFirst(in: run), k < corpus.shards.count,
      !FileManager.default.fileExists(atPath: run.directory.ensemble), !Self.isThere(shard)
    else { return }
    let folder = (shard.path as NSString).deletingLastPathComponent
    if folders.contains(folder) { return }
    let names = try? FileManager.default.contentsOfDirectory(atPath: folder)
    guard names ?? [] == [] else {
      folders.insert(folder)
      return
    }
    throw .badInput(
      file: shard.path,
      detail: "it is gone with all of its folder, and judges are yet to learn from it",
      remedy:
        "mount the disk and run the same command again; if it is gone for good, give another --out")
  }
}
