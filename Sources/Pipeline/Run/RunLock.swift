import Foundation
import Synchronization

/// The lock on an output folder: `flock`, so that the kernel lets go of it when the process dies, however it dies.
///
/// A whole run holds the folder alone. Ranks of a stage share it, and each holds a lock of its own, so that no rank is run
/// twice.
final class RunLock: Sendable {
  private let folder: HeldFile
  private let own: HeldFile?

  /// - Throws: `RunError.lockHeld` with the processes that hold it.
  init(_ directory: RunDirectory, rank: Rank = .whole) throws(RunError) {
    try directory.makeFolder(directory.state)
    do throws(RunError) {
      folder = try HeldFile(directory.lock, isShared: !rank.isWhole, directory.path)
    } catch {
      // One that names its process is held by a whole run, whatever ranks left behind.
      guard case .lockHeld(_, HeldFile.nobody) = error else { throw error }
      let ranks = RunLock.ranks(in: directory)
      guard !ranks.isEmpty else { throw error }
      throw .lockHeld(directory: directory.path, pid: ranks.joined(separator: ", "))
    }
    own = rank.isWhole ? nil : try HeldFile(directory.lock + directory.part, directory.path)
  }

  /// Whether the folder at the path is the one that was locked: a rebuild puts another one there.
  var isInPlace: Bool { folder.isInPlace }

  /// The processes of the ranks that share the folder, whose own lock names nobody then.
  private static func ranks(in directory: RunDirectory) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: directory.state)) ?? []
    let prefix = (directory.lock as NSString).lastPathComponent + "."
    return names.filter { $0.hasPrefix(prefix) }.sorted().compactMap {
      HeldFile.holder(of: "\(directory.state)/\($0)")
    }
  }
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

/// A file that is locked as long as this lives, and holds the number of the process and the name of its machine: the folder
/// may be on a disk that several share.
private final class HeldFile: Sendable {
  /// Stands for the process of a lock that names none.
  static let nobody = "unknown"

  private let path: String
  private let descriptor: Int32
  /// Whether the file names this process.
  private let isNamed = Atomic(false)

  /// - Parameters:
  ///   - isShared: others may share the lock; the file then names nobody.
  ///   - directory: for the error.
  init(_ path: String, isShared: Bool = false, _ directory: String) throws(RunError) {
    self.path = path
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw .file(path: path, operation: "open", code: errno) }
    guard flock(descriptor, (isShared ? LOCK_SH : LOCK_EX) | LOCK_NB) == 0 else {
      let code = errno
      guard code == EWOULDBLOCK else {
        throw .file(path: path, operation: "lock", code: code)
      }
      throw .lockHeld(directory: directory, pid: Holder(in: path)?.text ?? Self.nobody)
    }
    // One that was taken back with its folder since it was opened keeps nobody out.
    guard isInPlace else { throw .lockHeld(directory: directory, pid: Self.nobody) }
    let name = isShared ? [] : Array("\(getpid()) \(Self.machine)\n".utf8)
    guard ftruncate(descriptor, 0) == 0, write(descriptor, name, name.count) == name.count else {
      throw .file(path: path, operation: "write", code: errno)
    }
    isNamed.store(!isShared, ordering: .relaxed)
  }

  /// The name of this machine.
  private static let machine: String = {
    var system = utsname()
    guard uname(&system) == 0 else { return "" }
    return withUnsafeBytes(of: system.nodename) { name in
      String(decoding: name.prefix { $0 != 0 }, as: UTF8.self)
    }
  }()

  /// The process that a lock file names, whether it lives or not.
  private struct Holder {
    let process: String
    /// Nil for this machine, and where the file doesn't tell: earlier versions wrote no more than the number.
    let machine: String?

    /// Nil where the file names none.
    init?(in path: String) {
      let content = FileManager.default.contents(atPath: path) ?? Data()
      let parts = String(decoding: content, as: UTF8.self)
        .trimmingCharacters(in: .whitespacesAndNewlines).split(separator: " ", maxSplits: 1)
      guard let first = parts.first else { return nil }
      process = String(first)
      machine = parts.dropFirst().first.map(String.init).flatMap {
        $0 == HeldFile.machine ? nil : $0
      }
    }

    var text: String { machine.map { "\(process) on \($0)" } ?? process }

    /// Of a process on another machine that can't be told from here.
    var mayLive: Bool {
      guard machine == nil else { return true }
      guard let number = pid_t(process) else { return false }
      return kill(number, 0) == 0 || errno == EPERM
    }
  }

  /// The process that a lock file names, unless it is known to be gone (trying the lock could keep its owner out).
  static func holder(of path: String) -> String? {
    Holder(in: path).flatMap { $0.mayLive ? $0.text : nil }
  }

  /// Whether the path still leads to it.
  var isInPlace: Bool {
    var (held, there) = (stat(), stat())
    return fstat(descriptor, &held) == 0 && stat(path, &there) == 0
      && held.st_ino == there.st_ino && held.st_dev == there.st_dev
  }

  // Runs after a failed `init` too, once the descriptor is set.
  deinit {
    guard descriptor >= 0 else { return }
    // What other machines can't tell from one that lives.
    if isNamed.load(ordering: .relaxed) { ftruncate(descriptor, 0) }
    close(descriptor)
  }
}
