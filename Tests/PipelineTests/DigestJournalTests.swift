import Foundation
import Testing

@testable import Pipeline

/// A run that is stopped before its shards are pinned doesn't read again what it has read.
@Suite struct DigestJournalTests {
  private let folder: TemporaryFolder

  /// Three files that are worth it, and one that isn't.
  init() throws {
    folder = try TemporaryFolder()
    for (name, bytes) in [
      ("0.tar", 1 << 20), ("1.tar", 1 << 20), ("2.tar", 100), ("3.tar", 1 << 20),
    ] {
      try Data(repeating: UInt8(ascii: "a"), count: bytes).write(
        to: URL(fileURLWithPath: folder.path(name)))
    }
  }

  /// - Parameter end: the shards after which the run is stopped.
  private func pin(endingAfter end: Double? = nil) throws -> [String] {
    let cancellation = Cancellation()
    var configuration = RunConfiguration()
    configuration.workers = 1
    let run = try RunContext(
      configuration: configuration, directory: RunDirectory(folder.path("out")),
      cancellation: cancellation
    ) { event in
      guard case .progress(.pin, let done, _, _, _) = event, done == end else { return }
      cancellation.cancel(signal: SIGINT)
    }
    let paths = (0..<4).map { "\($0).tar" }.map(folder.path)
    return try Run.locked(run) {
      try Increment.pin(ShardSelection(paths), in: run).shards.map(\.digest)
    }
  }

  /// Other bytes, and yet the same file by size, time and inode.
  private func changeUnseen(_ name: String) throws {
    let path = folder.path(name)
    var info = stat()
    #expect(stat(path, &info) == 0)
    let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    try file.write(contentsOf: Data("bbb".utf8))
    try file.close()
    #expect(utimensat(AT_FDCWD, path, [info.st_mtim, info.st_mtim], 0) == 0)
  }

  @Test func whatWasReadIsNotReadAgainUnlessItChanged() throws {
    #expect(throws: RunError.cancelled(signal: SIGINT)) { try pin(endingAfter: 3) }
    try changeUnseen("0.tar")
    try Data(repeating: UInt8(ascii: "c"), count: 1 << 20).write(
      to: URL(fileURLWithPath: folder.path("1.tar")))
    let digests = try pin()
    let nothing = Cancellation()
    #expect(try digests[0] != Digest.ofFile(folder.path("0.tar"), cancellation: nothing))
    for i in 1..<4 {
      #expect(try digests[i] == Digest.ofFile(folder.path("\(i).tar"), cancellation: nothing))
    }
    let state = try FileManager.default.contentsOfDirectory(atPath: folder.path("out/.winnow"))
    #expect(!state.contains { $0.hasPrefix("digests") }, "\(state)")
  }

  @Test func smallFilesAreNotNotedAndDamagedLinesAreNone() throws {
    #expect(throws: RunError.cancelled(signal: SIGINT)) { try pin(endingAfter: 3) }
    let state = folder.path("out/.winnow")
    let name = try #require(
      try FileManager.default.contentsOfDirectory(atPath: state).first {
        $0.hasPrefix("digests")
      })
    var lines = try Data(contentsOf: URL(fileURLWithPath: "\(state)/\(name)"))
    #expect(lines.split(separator: UInt8(ascii: "\n")).count == 2)
    // As a power failure may leave it: a line of zeros, and a part of one.
    lines = Data("\n".utf8) + Data(count: 20) + lines + Data("\n{\"path\": \"/".utf8)
    try lines.write(to: URL(fileURLWithPath: "\(state)/\(name)"))
    try changeUnseen("0.tar")
    #expect(
      try pin()[0] != Digest.ofFile(folder.path("0.tar"), cancellation: Cancellation()),
      "the lines beside them count")
  }
}
