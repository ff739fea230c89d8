import Foundation
import Shards

/// A shard's bytes as a file, for one pass over it: the file itself, or what the command behind `pipe:` prints, spooled to
/// the temporary folder and held to the digest that was pinned. Lives as long as the pass.
final class LocalShard: Sendable {
  let path: String
  /// As the list names it.
  private let name: String
  private let isSpooled: Bool
  /// Its command failed when it was pinned.
  private let hasFailed: Bool

  /// - Throws: `RunError.shardChanged` where the command prints other bytes than those pinned, or fails where it didn't;
  ///   a file is looked at by its reader.
  init(_ shard: Increment.Shard, in run: RunContext) throws(RunError) {
    name = shard.path
    isSpooled = ShardPath.isPipe(shard.path)
    hasFailed = isSpooled && shard.digest.isEmpty
    guard isSpooled else {
      path = shard.path
      return
    }
    path = "\(run.directory.temporary)/\(UInt64.random(in: 0 ... .max))-piped.tar"
    // It failed when it was pinned: there is no such file, which its reader says.
    guard !shard.digest.isEmpty else { return }
    let outcome = try PipedShard.run(shard.path, to: path, in: run)
    if let failure = outcome.failure {
      throw .shardChanged(path: shard.path, detail: failure)
    }
    guard outcome.digest == shard.digest else {
      throw .shardChanged(
        path: shard.path, detail: "the command prints other bytes than when it was pinned")
    }
  }

  deinit { if isSpooled { unlink(path) } }

  /// A message about the file, about what the list names.
  func named(_ message: String?) -> String? {
    if hasFailed {
      return
        "\(name): the command failed, so that nothing of what it printed is used; see to it and run again"
    }
    return isSpooled ? message?.replacingOccurrences(of: path, with: name) : message
  }
}
