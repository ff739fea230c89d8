import Foundation
import Shards
import Synchronization

/// A shard's bytes as a file, for one pass over it: the file itself, or what the command behind `pipe:` prints, spooled to
/// the temporary folder and held to the digest that was pinned. Lives as long as the pass.
final class LocalShard: Sendable {
  let path: String
  /// As the list names it.
  private let name: String
  private let isSpooled: Bool
  /// Its command failed when it was pinned.
  private let hasFailed: Bool

  /// - Throws: `RunError.shardChanged` where the command prints other bytes than those pinned, or fails where it didn't;
  ///   a file is looked at by its reader.
  init(_ shard: Increment.Shard, in run: RunContext) throws(RunError) {
    name = shard.path
    isSpooled = ShardPath.isPipe(shard.path)
    hasFailed = isSpooled && shard.digest.isEmpty
    guard isSpooled else {
      path = shard.path
      return
    }
    path = "\(run.directory.temporary)/\(UInt64.random(in: 0 ... .max))-piped.tar"
    try run.commands.check(shard.path)
    // It failed when it was pinned: there is no such file, which its reader says.
    guard !shard.digest.isEmpty else { return }
    let outcome = try PipedShard.run(shard.path, to: path, run.cancellation)
    if let failure = outcome.failure {
      throw .shardChanged(path: shard.path, detail: failure)
    }
    guard outcome.digest == shard.digest else {
      throw .shardChanged(
        path: shard.path, detail: "the command prints other bytes than when it was pinned")
    }
  }

  deinit { if isSpooled { unlink(path) } }

  /// A message about the file, about what the list names.
  func named(_ message: String?) -> String? {
    if hasFailed {
      return
        "\(name): the command failed, so that nothing of what it printed is used; see to it and run again"
    }
    return isSpooled ? message?.replacingOccurrences(of: path, with: name) : message
  }
}

/// The `pipe:` sources that the command line or the pipeline file names: no other is run, whatever a folder's state says
/// (promise 8).
final class NamedCommands: Sendable {
  private let sources = Mutex<Set<String>>([])

  func allow(_ shards: ShardSelection) {
    let pipes = shards.paths.filter(ShardPath.isPipe)
    sources.withLock { $0.formUnion(pipes) }
  }

  /// - Throws: `RunError.usage`.
  func check(_ source: String) throws(RunError) {
    guard sources.withLock({ $0.contains(source) }) else {
      throw .usage(
        "\(source) is still to be read, and a command runs only where it is named: name it again")
    }
  }
}

/// Runs the command of a `pipe:` source.
enum PipedShard {
  struct Outcome {
    /// XXH3-128 of what it printed, hex.
    var digest: String
    /// Why its bytes can't be trusted, if they can't.
    var failure: String?
  }

  /// - Parameter file: gets what the command prints.
  /// - Throws: `RunError.file` where that can't be written, `.cancelled`.
  static func run(
    _ source: String, to file: String, _ cancellation: Cancellation
  ) throws(RunError) -> Outcome {
    let descriptor = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw .file(path: file, operation: "write", code: errno) }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", String(source.dropFirst(ShardPath.pipePrefix.count))]
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    do { try process.run() } catch {
      return Outcome(digest: "", failure: "the command can't be run: \(error)")
    }
    while process.isRunning {
      if cancellation.isCancelled {
        // It ignores the signals that this process ignores, but not this one. What it started itself isn't waited for.
        kill(process.processIdentifier, SIGKILL)
        try cancellation.check()
      }
      usleep(5000)
    }
    process.waitUntilExit()
    try cancellation.check()
    let digest = try Digest.ofFile(file, cancellation: cancellation)
    guard process.terminationStatus == 0 else {
      let how = process.terminationReason == .exit ? "status" : "signal"
      return Outcome(
        digest: digest, failure: "the command ended with \(how) \(process.terminationStatus)")
    }
    return Outcome(digest: digest)
  }
}
