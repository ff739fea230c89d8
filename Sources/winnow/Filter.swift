import ArgumentParser
import Pipeline

struct Filter: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write the clean shards from the scores and the noise model in DIR.",
    discussion: """
      Example:
        winnow filter /data/crawl --out /data/clean

      Processes on several machines may share the work: --rank and --world-size, then `winnow publish`.
      """)

  @OptionGroup var shards: ShardArguments
  @OptionGroup var options: RunOptions
  @OptionGroup var ranks: RankOptions
  @OptionGroup var write: WriteOptions

  func run() throws {
    var configuration = try options.configuration()
    write.apply(to: &configuration.write)
    let rank = try ranks.parsed { if !options.quiet { StandardError.print($0) } }
    try options.run(configuration, on: shards, rank: rank) { try Run.filter($0, in: $1) }
  }
}
