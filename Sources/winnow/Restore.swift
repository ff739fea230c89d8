import ArgumentParser
import Foundation
import Pipeline

struct Restore: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Put rejected pairs back, in clean shards of their own.",
    discussion: """
      Example:
        winnow restore 000017 crawl/000291 --out /data/clean
        winnow restore - --out /data/clean < keys.txt

      Keys are bytes, UTF-8 or not. A key that several rejected pairs have puts all of them back. Their copies in rejected/
      stay, and the manifest tells which pairs were restored. Keys that begin with - follow --.
      """)

  @Argument(help: "Keys of rejected pairs, or - for a list on stdin, a key a line.")
  var keys: [String]

  @OptionGroup var options: RunOptions

  func run() throws {
    let wanted = try keys.flatMap { try $0 == "-" ? Run.listedKeys() : bytes(of: $0) }
    guard !wanted.isEmpty else {
      throw ValidationError("No keys: name them, or give - and a list.")
    }
    let result = try options.perform(try options.configuration()) {
      try Run.restore(wanted, in: $0)
    }
    if !options.quiet {
      StandardError.print("\(counted(result.restored, "pair")) restored")
      if result.already > 0 { StandardError.print("\(result.already) had been restored before") }
    }
    for line in firstLines(of: result.problems, { $0 }) { StandardError.print(line) }
    for shard in result.cleanShards { try StandardOutput.print(shard) }
    if result.exitStatus != 0 { throw ExitCode(result.exitStatus) }
  }

  /// The arguments that are this one once Swift has replaced what isn't UTF-8 in them.
  private func bytes(of argument: String) -> [[UInt8]] {
    let given = (1..<Int(CommandLine.argc)).compactMap { i in
      CommandLine.unsafeArgv[i].map { Array(UnsafeRawBufferPointer(start: $0, count: strlen($0))) }
    }
    return given.filter { String(decoding: $0, as: UTF8.self).utf8.elementsEqual(argument.utf8) }
  }
}
