import Foundation
import Synchronization

/// A shell command whose output is read through a pipe, so that it ends, by SIGPIPE, when this process does, however that
/// ends. It leads a process group of its own, which ends as a whole where the run is stopped.
///
/// Foundation's `Process` would let it inherit the signals that this process ignores.
struct ShellCommand {
  private let process: pid_t
  /// The end that is read.
  private let output: Int32

  /// Held from the making of a pipe until no other command can inherit its ends.
  private static let spawning = Mutex(())

  /// - Throws: `RunError.file` where the system starts no process.
  init(_ command: String) throws(RunError) {
    let started = Self.spawning.withLock { _ in Self.start(command) }
    guard started.code == 0 else {
      throw .file(path: "/bin/sh", operation: "run", code: started.code)
    }
    (process, output) = (started.process, started.output)
  }

  /// - Returns: the process and the end of the pipe to read, or the system's error code.
  private static func start(_ command: String) -> (process: pid_t, output: Int32, code: Int32) {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { return (0, -1, errno) }
    defer { close(ends[1]) }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    sigfillset(&signals)
    posix_spawnattr_setsigdefault(&attributes, &signals)
    posix_spawnattr_setpgroup(&attributes, 0)
    let flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK
    posix_spawnattr_setflags(&attributes, Int16(flags))
    var arguments: [UnsafeMutablePointer<CChar>?] =
      [strdup("/bin/sh"), strdup("-c"), strdup(command), nil]
    defer { for argument in arguments { free(argument) } }
    var process: pid_t = 0
    let code = posix_spawn(&process, "/bin/sh", &actions, &attributes, &arguments, environ)
    if code != 0 { close(ends[0]) }
    return (process, ends[0], code)
  }

  /// Copies what the command prints to a file, and waits for its end.
  ///
  /// - Returns: why its bytes can't be trusted; nil after exit status 0.
  /// - Throws: `RunError.cancelled` once the command is ended too; `.file` where its output can't be had or written.
  func copy(
    to descriptor: Int32, _ path: String, cancellation: Cancellation
  ) throws(RunError) -> String? {
    defer { close(output) }
    do throws(RunError) {
      guard try copyAll(to: descriptor, path, cancellation: cancellation) else {
        stop()
        return "the command waited for a terminal, and it has none: it may ask for nothing"
      }
    } catch {
      stop()
      throw error
    }
    var status: Int32 = 0
    var ended = waitpid(process, &status, WNOHANG)
    while ended == 0 {
      if cancellation.isCancelled { stop() }
      try cancellation.check()
      usleep(5000)
      ended = waitpid(process, &status, WNOHANG)
    }
    // A status that is lost is no success.
    if ended == process, status == 0 { return nil }
    try Self.awaitSignal(cancellation)
    guard ended == process else { return "how the command ended can't be told" }
    let signal = status & 0x7F
    if signal != 0 { return "the command ended with signal \(signal)" }
    return "the command ended with status \(status >> 8 & 0xFF)"
  }

  /// Whoever stops a service may signal all of its processes, and the command's end be seen before the signal is heard of
  /// here: that is no fault of the command. Waits a tenth of a second for it, and longer where the machine is slow.
  /// - Throws: `RunError.cancelled` where it comes.
  private static func awaitSignal(_ cancellation: Cancellation) throws(RunError) {
    for _ in 0..<20 {
      try cancellation.check()
      usleep(5000)
    }
    try cancellation.check()
  }

  /// - Returns: false where the command is stopped, as the system does with one that asks a terminal.
  private func copyAll(
    to descriptor: Int32, _ path: String, cancellation: Cancellation
  ) throws(RunError) -> Bool {
    let block = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
    defer { block.deallocate() }
    while true {
      try cancellation.check()
      var waiting = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
      let ready = poll(&waiting, 1, 100)
      if ready == 0, isStopped { return false }
      if ready == 0 || ready < 0 && errno == EINTR { continue }
      let count = read(output, block.baseAddress, block.count)
      if count == 0 { return true }
      guard count > 0 else { throw .file(path: path, operation: "read for", code: errno) }
      var rest = UnsafeRawBufferPointer(rebasing: block[..<count])
      while !rest.isEmpty {
        let written = write(descriptor, rest.baseAddress, rest.count)
        guard written > 0 else { throw .file(path: path, operation: "write", code: errno) }
        rest = UnsafeRawBufferPointer(rebasing: rest[written...])
      }
    }
  }

  private var isStopped: Bool {
    var information = siginfo_t()
    return waitid(P_PID, id_t(process), &information, WSTOPPED | WNOHANG | WNOWAIT) == 0
      && information.si_signo != 0
  }

  /// Ends the command and what it started: asks first, and doesn't wait longer than a second.
  private func stop() {
    kill(-process, SIGTERM)
    var status: Int32 = 0
    for _ in 0..<100 {
      if waitpid(process, &status, WNOHANG) != 0 { break }
      usleep(5000)
    }
    // What of its group is left, or all of it.
    kill(-process, SIGKILL)
    waitpid(process, &status, 0)
  }
}
