import ArgumentParser
import Pipeline

struct Score: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Judge every pair of the shards.",
    discussion: """
      Example:
        winnow score /data/crawl --ensemble /data/judges --out /data/clean
      """)

  @OptionGroup var shards: ShardArguments
  @OptionGroup var options: RunOptions
  @OptionGroup var scoring: ScoreOptions

  @Option(help: "The ensemble to judge with (default: the output folder's own).")
  var ensemble: String?

  func run() throws {
    var configuration = try options.configuration()
    scoring.apply(to: &configuration.score)
    try options.run(configuration, on: shards) { try Run.score($0, ensemble: ensemble, in: $1) }
  }
}
