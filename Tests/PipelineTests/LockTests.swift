import Foundation
import Testing

@testable import Pipeline

@Suite struct LockTests {
  @Test func whatAnotherProcessPutInThePlaceOfASwappedFolderIsLeftAlone() throws {
    let folder = try TemporaryFolder()
    let run = try RunContext(
      configuration: RunConfiguration(), directory: RunDirectory(folder.path("out")))
    var other: RunLock?
    try Run.locked(run) {
      // As a rebuild leaves the place, and the next process takes it at once.
      try FileManager.default.moveItem(
        atPath: folder.path("out"), toPath: folder.path("out.previous"))
      other = try RunLock(run.directory)
      try run.directory.prepare()
    }
    #expect(FileManager.default.fileExists(atPath: run.directory.temporary))
    #expect(FileManager.default.fileExists(atPath: run.directory.lock))
    withExtendedLifetime(other) {}
  }

  @Test func aLockIsInPlaceAsLongAsItsFolderIs() throws {
    let folder = try TemporaryFolder()
    let directory = RunDirectory(folder.path("out"))
    let lock = try RunLock(directory)
    #expect(lock.isInPlace)
    try FileManager.default.moveItem(
      atPath: folder.path("out"), toPath: folder.path("out.previous"))
    #expect(!lock.isInPlace)
    let other = try RunLock(directory)
    #expect(other.isInPlace && !lock.isInPlace)
  }

  @Test func lockFilesThatDeadProcessesLeftHoldNobodyUpWhoeverHasTheirNumbersNow() throws {
    let folder = try TemporaryFolder()
    let directory = RunDirectory(folder.path("out"))
    try directory.makeFolder(directory.state)
    // The parent is alive, and has nothing to do with it.
    for path in [directory.lock, directory.lock + ".0-of-2"] {
      try "\(getppid())\n".write(toFile: path, atomically: true, encoding: .utf8)
    }
    let lock = try RunLock(directory)
    let error = #expect(throws: RunError.self) { try RunLock(directory) }
    #expect(error == .lockHeld(directory: directory.path, pid: "\(getpid())"))
    withExtendedLifetime(lock) {}
  }
}
