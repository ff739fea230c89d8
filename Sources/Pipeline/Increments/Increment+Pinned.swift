import Foundation
import Shards

extension Increment {
  /// What is made of one list of files, which is pinned once.
  enum Work { case judges, training, embeddings }

  /// As `pin`, but what came to the list since is told and left out: a resume finishes what was begun.
  ///
  /// - Parameters:
  ///   - noun: one of the list.
  ///   - file: where it is pinned.
  ///   - isFinished: nothing is gone on with any more: what came since would never be seen.
  /// - Throws: as `pin`, for what changed, or isn't in the list any more.
  static func goOn(
    with list: ShardPaths, of noun: String = "shard", pinnedIn file: String, for work: Work,
    isFinished: Bool = false, in run: RunContext
  ) throws -> Increment {
    var known: ShardPaths?
    if FileManager.default.fileExists(atPath: file) {
      let pinned = try Increment(at: file).shards
      if !isFinished || list.count == pinned.count { known = find(pinned, in: list) }
    }
    let increment = try pin(known ?? list, to: file, in: run)
    let rest = list.count - increment.shards.count
    if rest > 0 {
      let late = counted(rest, noun)
      let told =
        switch work {
        case .judges: "came too late to be learnt from, and will be judged after the rest: \(late)"
        case .training:
          "came too late for this training: \(late); give another --out to train on all"
        case .embeddings:
          "came too late for these embeddings: \(late); give another --out to embed all"
        }
      run.observe(.note(told))
    }
    return increment
  }

  /// The pinned ones, in their order, where the list names them all.
  private static func find(_ pinned: ShardTable, in list: ShardPaths) -> ShardPaths? {
    // Who began without any didn't wait for some to come.
    guard !pinned.isEmpty, list.count >= pinned.count else { return nil }
    let listed = Set(list.lazy.map { ShardPath(path: absolutePath($0.path)) })
    guard pinned.allSatisfy({ listed.contains($0.place) }) else { return nil }
    return ShardPaths(pinned.lazy.map(\.place))
  }
}
