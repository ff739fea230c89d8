import ArgumentParser
import Foundation
import Pipeline

@main
struct Winnow: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "winnow",
    abstract: "Clean image-text training data.",
    discussion: """
      Example:
        winnow clean /data/crawl --out /data/clean

      Exit status:
        0   done
        1   failed
        2   wrong usage
        3   done, but a shard could not be read to its end, or a published file is damaged
        75  another run holds the output folder
        128 + signal: stopped by it; the same command goes on: 129 the terminal was closed, 130 Ctrl-C, 143 SIGTERM
      """,
    version: winnowVersion,
    subcommands: [
      Clean.self, Train.self, Score.self, Fit.self, Filter.self, Publish.self, Restore.self,
      Embed.self, Inspect.self,
      Eval.self, Labels.self,
    ])

  static func main() {
    Allocator.configure()
    Signals.prepare()
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch {
      finish(with: error)
    }
  }

  /// Ends the process with the error's text and exit status (README, "Two commands").
  private static func finish(with error: any Error) -> Never {
    let status = exitStatus(for: error)
    let message = error is RunError ? "winnow: \(error)" : fullMessage(for: error)
    if status == 0 {
      do { if !message.isEmpty { try StandardOutput.print(message) } } catch { Foundation.exit(1) }
    } else if !message.isEmpty {
      StandardError.print(message)
    }
    Foundation.exit(status)
  }

  /// What the process ends with after an error.
  static func exitStatus(for error: any Error) -> Int32 {
    if let error = error as? RunError { return error.exitStatus }
    let code = exitCode(for: error)
    return code == .validationFailure ? 2 : code.rawValue
  }
}
