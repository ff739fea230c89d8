import Foundation
import Shards

extension Increment {
  /// What is made of one list of files, which is pinned once.
  enum Work: String {
    case training = "this training"
    case embeddings = "these embeddings"

    fileprivate var verb: String { self == .training ? "train on" : "embed" }
  }

  /// As `pin`, but what came to the list since is told and left out: a resume finishes what was begun.
  ///
  /// - Parameters:
  ///   - noun: one of the list.
  ///   - file: where it is pinned.
  /// - Throws: as `pin`, for what changed, or isn't in the list any more.
  static func goOn(
    with list: ShardPaths, of noun: String = "shard", pinnedIn file: String, for work: Work,
    in run: RunContext
  ) throws -> Increment {
    var known: ShardPaths?
    if FileManager.default.fileExists(atPath: file) {
      known = find(try Increment(at: file).shards, in: list)
    }
    let increment = try pin(known ?? list, to: file, in: run)
    let rest = list.count - increment.shards.count
    if rest > 0 {
      run.observe(
        .note(
          "came too late for \(work.rawValue): \(counted(rest, noun)); "
            + "give another --out to \(work.verb) all"))
    }
    return increment
  }

  /// Where the pinned ones lie, in their order, of a longer list; nil where it doesn't name them all.
  private static func find(_ pinned: ShardTable, in list: ShardPaths) -> ShardPaths? {
    // Who began without any didn't wait for some to come.
    guard !pinned.isEmpty, list.count > pinned.count else { return nil }
    let listed = Set(list.lazy.map { ShardPath(path: absolutePath($0.path)) })
    if pinned.allSatisfy({ listed.contains($0.place) }) {
      return ShardPaths(pinned.lazy.map(\.place))
    }
    // Their folder may lie elsewhere now, and so they go by their names.
    var moved = ShardPaths()
    for path in list where moved.count < pinned.count {
      if path.name == pinned[moved.count].name { moved.append(path) }
    }
    return moved.count == pinned.count ? moved : nil
  }
}
