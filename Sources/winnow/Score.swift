import ArgumentParser
import Pipeline

struct Score: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Judge every pair of the shards.",
    discussion: """
      Example:
        winnow score /data/crawl --ensemble /data/judges --out /data/clean

      Processes on several machines may share the work over one file system: --rank and --world-size.
      """)

  @OptionGroup var shards: ShardArguments
  @OptionGroup var options: RunOptions
  @OptionGroup var ranks: RankOptions
  @OptionGroup var scoring: ScoreOptions

  @Option(help: "The ensemble to judge with (default: the output folder's own).")
  var ensemble: String?

  func run() throws {
    var configuration = try options.configuration()
    scoring.apply(to: &configuration.score)
    let rank = try ranks.parsed { if !options.quiet { StandardError.print($0) } }
    try options.run(configuration, on: shards, rank: rank) {
      try Run.score($0, ensemble: ensemble, in: $1)
    }
  }
}
