import Foundation

/// The lock on an output folder: `flock`, so that the kernel lets go of it when the process dies, however it dies.
///
/// A whole run holds the folder alone. Ranks of a stage share it, and each holds a lock of its own, so that no rank is run
/// twice.
final class RunLock: Sendable {
  private let folder: HeldFile
  private let own: HeldFile?

  /// - Throws: `RunError.lockHeld` with the process that holds it.
  init(_ directory: RunDirectory, rank: Rank = .whole) throws(RunError) {
    try directory.makeFolder(directory.state)
    folder = try HeldFile(directory.lock, isShared: !rank.isWhole, directory.path)
    own = rank.isWhole ? nil : try HeldFile(directory.lock + directory.part, directory.path)
  }

  /// Whether the folder at the path is the one that was locked: a rebuild puts another one there.
  var isInPlace: Bool { folder.isInPlace }
}

extension RunContext {
  /// Runs `body` while no other rank of the folder does: what several pin, the first one does, and the others find.
  func alone<R>(_ body: () throws -> R) throws -> R {
    if rank.isWhole { return try body() }
    while true {
      do {
        let lock = try HeldFile(directory.pinLock, directory.path)
        return try withExtendedLifetime(lock, body)
      } catch RunError.lockHeld {
        try cancellation.check()
        usleep(50_000)
      }
    }
  }
}

/// A file that is locked as long as this lives, and holds the number of the process.
private final class HeldFile: Sendable {
  private let path: String
  private let descriptor: Int32

  /// - Parameters:
  ///   - isShared: others may share the lock; the file then names nobody.
  ///   - directory: for the error.
  init(_ path: String, isShared: Bool = false, _ directory: String) throws(RunError) {
    self.path = path
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw .file(path: path, operation: "open", code: errno) }
    guard flock(descriptor, (isShared ? LOCK_SH : LOCK_EX) | LOCK_NB) == 0 else {
      let code = errno
      let holder = FileManager.default.contents(atPath: path) ?? Data()
      guard code == EWOULDBLOCK else {
        throw .file(path: path, operation: "lock", code: code)
      }
      let pid = String(decoding: holder, as: UTF8.self)
        .trimmingCharacters(in: .whitespacesAndNewlines)
      throw .lockHeld(directory: directory, pid: pid.isEmpty ? "unknown" : pid)
    }
    // One that was taken back with its folder since it was opened keeps nobody out.
    guard isInPlace else { throw .lockHeld(directory: directory, pid: "unknown") }
    let pid = isShared ? [] : Array("\(getpid())\n".utf8)
    guard ftruncate(descriptor, 0) == 0, write(descriptor, pid, pid.count) == pid.count else {
      throw .file(path: path, operation: "write", code: errno)
    }
  }

  /// Whether the path still leads to it.
  var isInPlace: Bool {
    var (held, there) = (stat(), stat())
    return fstat(descriptor, &held) == 0 && stat(path, &there) == 0
      && held.st_ino == there.st_ino && held.st_dev == there.st_dev
  }

  // Runs after a failed `init` too, once the descriptor is set.
  deinit { if descriptor >= 0 { close(descriptor) } }
}
