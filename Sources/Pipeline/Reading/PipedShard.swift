import Foundation
import Shards
import Synchronization

/// The `pipe:` sources that the command line or the pipeline file names: no other is run,
/// whatever a folder's state says.
final class NamedCommands: Sendable {
  private let sources = Mutex<Set<ShardPath>>([])

  func allow(_ shards: ShardSelection) {
    let pipes = Array(shards.shards.filter { ShardPath.isPipe($0.path) })
    sources.withLock { $0.formUnion(pipes) }
  }

  func allow(_ others: NamedCommands) {
    let pipes = others.sources.withLock { $0 }
    sources.withLock { $0.formUnion(pipes) }
  }

  func allows(_ source: String) -> Bool {
    sources.withLock { $0.contains(ShardPath(path: source)) }
  }

  /// - Throws: `RunError.usage`.
  func check(_ source: String) throws(RunError) {
    guard allows(source) else {
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
  /// - Throws: `RunError.usage` where nobody named the command, `.file` where its output can't be written, `.cancelled`.
  static func run(
    _ source: String, to file: String, in run: RunContext
  ) throws(RunError) -> Outcome {
    try run.commands.check(source)
    let descriptor = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw .file(path: file, operation: "write", code: errno) }
    defer { close(descriptor) }
    let command = try ShellCommand(String(source.dropFirst(ShardPath.pipePrefix.count)))
    let failure = try command.copy(to: descriptor, file, cancellation: run.cancellation)
    return Outcome(
      digest: try Digest.ofFile(file, cancellation: run.cancellation), failure: failure)
  }
}
