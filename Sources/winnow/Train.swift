import ArgumentParser
import Pipeline

struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train an ensemble of judges on the shards: DIR/ensemble.",
    discussion: """
      Example:
        winnow train /data/crawl --out /data/clean
      """)

  @OptionGroup var shards: ShardArguments
  @OptionGroup var options: RunOptions

  func run() throws {
    let configuration = try options.configuration()
    try options.run(configuration, on: shards) { try Run.train($0, in: $1) }
  }
}
