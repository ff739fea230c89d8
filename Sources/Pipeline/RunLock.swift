import Foundation

/// The lock on an output folder: `flock`, so that the kernel lets go of it when the process dies, however it dies.
final class RunLock: Sendable {
  private let descriptor: Int32

  /// - Throws: `RunError.lockHeld` with the process that holds it.
  init(_ directory: RunDirectory) throws(RunError) {
    try directory.makeFolder(directory.state)
    descriptor = open(directory.lock, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw .file(path: directory.lock, operation: "open", code: errno)
    }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let code = errno
      let holder = FileManager.default.contents(atPath: directory.lock) ?? Data()
      guard code == EWOULDBLOCK else {
        throw .file(path: directory.lock, operation: "lock", code: code)
      }
      let pid = String(decoding: holder, as: UTF8.self)
        .trimmingCharacters(in: .whitespacesAndNewlines)
      throw .lockHeld(directory: directory.path, pid: pid.isEmpty ? "unknown" : pid)
    }
    let pid = Array("\(getpid())\n".utf8)
    guard ftruncate(descriptor, 0) == 0, write(descriptor, pid, pid.count) == pid.count else {
      throw .file(path: directory.lock, operation: "write", code: errno)
    }
  }

  // Runs after a failed `init` too, once the descriptor is set.
  deinit { if descriptor >= 0 { close(descriptor) } }
}
