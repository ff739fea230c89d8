import Foundation
import Testing

@testable import Pipeline

@Suite struct TrainingFolderTests {
  private let folder: TemporaryFolder
  private let run: RunContext

  init() throws {
    folder = try TemporaryFolder()
    run = try RunContext(
      configuration: RunConfiguration(), directory: RunDirectory(folder.path("out")))
    try run.directory.prepare()
  }

  /// The path of a file in the folder, which is made for the key.
  private func file(_ purpose: TrainingFolder.Purpose, _ key: String) throws -> String {
    "\(try TrainingFolder(purpose, key: key, in: run).path)/a"
  }

  private func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

  @Test func anotherTrainingBeginsWithAnEmptyFolder() throws {
    for purpose in [TrainingFolder.Purpose.judges, .model] {
      #expect(FileManager.default.createFile(atPath: try file(purpose, "k"), contents: nil))
    }
    #expect(try exists(file(.judges, "k")))
    #expect(try !exists(file(.judges, "other")))
    #expect(try exists(file(.model, "k")), "the other one's stays")
    TrainingFolder.remove(.judges, in: run)
    #expect(exists(run.directory.training))
    TrainingFolder.remove(.model, in: run)
    #expect(!exists(run.directory.training))
  }

  /// Their names are numbers of steps, which another training has too.
  @Test func aModelsTrainingThatBeginsAnewLeavesNoSnapshotsOfTheOneBefore() throws {
    let snapshot = "\(run.directory.snapshots)/000010"
    _ = try file(.model, "k")
    try run.directory.makeFolder(snapshot)
    _ = try file(.model, "k")
    for key in ["k", "other"] { _ = try file(.judges, key) }
    #expect(exists(snapshot))
    _ = try file(.model, "other")
    #expect(!exists(run.directory.snapshots))
    // Those that no training under way left are somebody's.
    TrainingFolder.remove(.model, in: run)
    try run.directory.makeFolder(snapshot)
    #expect {
      try file(.model, "k")
    } throws: {
      "\($0)".contains("snapshots is in the way")
    }
    #expect(exists(snapshot))
    #expect(try FileManager.default.contentsOfDirectory(atPath: run.directory.temporary) == [])
  }

  @Test func aFolderThatCannotBeClearedAwayIsAnErrorAndIsNotTakenForTheOthers() throws {
    let kept = try file(.judges, "k")
    #expect(FileManager.default.createFile(atPath: kept, contents: nil))
    // What is cleared away goes there first.
    try FileManager.default.removeItem(atPath: run.directory.temporary)
    let path = "\(run.directory.training)/judges"
    for _ in 0..<2 {
      #expect(throws: RunError.file(path: path, operation: "clear away", code: ENOENT)) {
        try file(.judges, "other")
      }
    }
    #expect(exists(kept))
    #expect(try file(.judges, "k") == kept)
  }

  @Test func aKeyThatCannotBeReadIsNotTakenForAnotherOne() throws {
    let kept = try file(.judges, "k")
    #expect(FileManager.default.createFile(atPath: kept, contents: nil))
    // Stands for a disk that fails.
    let key = "\(run.directory.training)/judges/key"
    try FileManager.default.removeItem(atPath: key)
    #expect(mkdir(key, 0o755) == 0)
    #expect(throws: RunError.file(path: key, operation: "read", code: EIO)) {
      try file(.judges, "k")
    }
    #expect(exists(kept))
  }
}
