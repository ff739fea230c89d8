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

  /// The name of this machine, as a lock file of this process tells it.
  private func machine(in path: String) throws -> String {
    let parts = try String(contentsOfFile: path, encoding: .utf8).split(separator: " ")
    #expect(parts.count == 2 && parts.first.map(String.init) == "\(getpid())")
    return try #require(parts.last).trimmingCharacters(in: .newlines)
  }

  /// In the same file, as its holder would have.
  private func write(_ text: String, to path: String) throws {
    try Data("\(text)\n".utf8).write(to: URL(fileURLWithPath: path))
  }

  @Test func aHolderOnAnotherMachineIsNamedWithThat() throws {
    let folder = try TemporaryFolder()
    let directory = RunDirectory(folder.path("out"))
    let lock = try RunLock(directory)
    let here = try machine(in: directory.lock)
    for (text, name) in [
      ("123 not-\(here)", "123 on not-\(here)"), ("123 \(here)", "123"), ("123", "123"),
      ("", "unknown"),
    ] {
      try write(text, to: directory.lock)
      let error = #expect(throws: RunError.self) { try RunLock(directory) }
      #expect(error == .lockHeld(directory: directory.path, pid: name))
      #expect(error?.description.hasPrefix("another run (process \(name)) holds ") == true)
    }
    withExtendedLifetime(lock) {}
  }

  @Test func ofRanksOnlyThoseOfThisMachineAreKnownToBeGone() throws {
    let folder = try TemporaryFolder()
    let directory = RunDirectory(folder.path("out"))
    var part = directory
    part.part = ".0-of-5"
    let lock = try RunLock(part, rank: Rank(index: 0, count: 5))
    let here = try machine(in: directory.lock + part.part)
    // No system counts that far.
    let (gone, living) = (Int32.max, getppid())
    let texts = [
      "\(gone) not-\(here)", "\(gone) \(here)", "\(gone)", "\(living) \(here)", "\(living)",
    ]
    for (rank, text) in texts.enumerated() {
      try write(text, to: directory.lock + ".\(rank)-of-5")
    }
    let error = #expect(throws: RunError.self) { try RunLock(directory) }
    let names = "\(gone) on not-\(here), \(living), \(living)"
    #expect(error == .lockHeld(directory: directory.path, pid: names))
    withExtendedLifetime(lock) {}
  }
}
