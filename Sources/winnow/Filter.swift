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
    try options.run(configuration, on: shards) { try Run.filter($0, in: $1) }
  }
}
