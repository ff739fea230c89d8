import ArgumentParser
import Pipeline

struct Filter: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write the clean shards from the scores and the noise model in DIR.",
    discussion: """
      Example:
        winnow filter /data/crawl --out /data/clean
      """)

  @OptionGroup var shards: ShardArguments
  @OptionGroup var options: RunOptions
  @OptionGroup var write: WriteOptions

  func run() throws {
    var configuration = try options.configuration()
    write.apply(to: &configuration.write)
    let result = try options.run(configuration) {
      try Run.filter(try shards.expand(configuration), in: $0)
    }
    try options.report(result, configuration)
  }
}
