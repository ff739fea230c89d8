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
    let result = try options.run(configuration) {
      try Run.train(try shards.expand(configuration), in: $0)
    }
    try options.report(result, configuration)
  }
}
