import Foundation
import Shards
import Synchronization
import Testing

@testable import Pipeline

/// A list that is pinned once, and grew since.
@Suite struct GrownListTests {
  /// Pins these files, or goes on with those that are pinned.
  /// - Returns: what is pinned, and what was told.
  private func goOn(
    _ names: [String], _ folder: TemporaryFolder, isFinished: Bool = false
  ) throws -> (increment: Increment, notes: [String]) {
    let notes = Mutex<[String]>([])
    let run = try RunContext(
      configuration: RunConfiguration(), directory: RunDirectory(folder.path("out"))
    ) { event in
      if case .note(let text) = event { notes.withLock { $0.append(text) } }
    }
    try run.directory.prepare()
    let increment = try Increment.goOn(
      with: ShardPaths(names.map { ShardPath(path: folder.path($0)) }),
      pinnedIn: run.directory.increment(0), for: .training, isFinished: isFinished,
      in: run)
    return (increment, notes.withLock { $0 })
  }

  private func write(_ names: [String], _ folder: TemporaryFolder) throws {
    for name in names { try folder.write(name, name) }
  }

  @Test func whatIsPinnedIsGoneOnWithWhereverItStands() throws {
    let folder = try TemporaryFolder()
    try write(["a.tar", "b.tar", "c.tar", "d.tar"], folder)
    let begun = try goOn(["a.tar", "b.tar"], folder)
    #expect(begun.notes == [])
    let told = "came too late for this training: 2 shards; give another --out to train on all"
    let grown = try goOn(["d.tar", "b.tar", "c.tar", "a.tar"], folder)
    #expect(grown.increment == begun.increment)
    #expect(grown.notes == [told])

    // In another order, it is the same list.
    let reordered = try goOn(["b.tar", "a.tar"], folder, isFinished: true)
    #expect(reordered.increment == begun.increment && reordered.notes == [])
    // Where nothing is gone on with, what came would never be seen.
    let detail = "2 new, 0 gone, 2 then"
    #expect(throws: RunError.otherShards(directory: folder.path("out"), detail: detail)) {
      try goOn(["d.tar", "b.tar", "c.tar", "a.tar"], folder, isFinished: true)
    }
  }

  @Test(arguments: [
    (["a.tar", "c.tar", "d.tar"], "2 new, 1 gone, 2 then"), (["b.tar"], "0 new, 1 gone, 2 then"),
  ])
  func aListThatLacksSomethingIsRefused(names: [String], told: String) throws {
    let folder = try TemporaryFolder()
    try write(["a.tar", "b.tar", "c.tar", "d.tar"], folder)
    _ = try goOn(["a.tar", "b.tar"], folder)
    #expect(throws: RunError.otherShards(directory: folder.path("out"), detail: told)) {
      _ = try goOn(names, folder)
    }
  }

  @Test func aShardThatChangedIsNamedThoughOthersCame() throws {
    let folder = try TemporaryFolder()
    try write(["a.tar", "b.tar", "c.tar"], folder)
    _ = try goOn(["a.tar", "b.tar"], folder)
    try folder.write("b.tar", "other bytes")
    #expect {
      _ = try goOn(["a.tar", "b.tar", "c.tar"], folder)
    } throws: {
      "\($0)".contains("b.tar changed")
    }
  }

  @Test func whatWasBegunWithoutAnyIsNotGoneOnWithWithoutThoseOfNow() throws {
    let folder = try TemporaryFolder()
    try write(["a.tar"], folder)
    _ = try goOn([], folder)
    let detail = "1 new, 0 gone, 0 then"
    #expect(throws: RunError.otherShards(directory: folder.path("out"), detail: detail)) {
      _ = try goOn(["a.tar"], folder)
    }
  }
}
