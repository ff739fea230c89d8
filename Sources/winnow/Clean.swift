import ArgumentParser
import Pipeline

struct Clean: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Clean shards: train judges, score, fit, decide and write, in one resumable run.",
    discussion: """
      Examples:
        winnow clean /data/crawl --out /data/clean
        winnow clean '/data/{00000..00099}.tar' --out /data/clean --max-noise 0.1
        find /data -name '*.tar' | winnow clean - --out /data/clean

        winnow clean /data/crawl --ensemble /data/clean --out /data/other --max-noise 0.05

      The last one judges with the judges of an earlier run, to try another cut without training again.
      A killed run goes on where it stopped when the same command is given again.
      """)

  @OptionGroup var shards: ShardArguments
  @OptionGroup var options: RunOptions
  @OptionGroup var scoring: ScoreOptions
  @OptionGroup var cut: CutOptions
  @OptionGroup var write: WriteOptions

  @Option(help: "Judge with this ensemble rather than training one.")
  var ensemble: String?

  @Flag(help: "Make all output anew from the shards given, beside the folder, and swap the two.")
  var rebuild = false

  func run() throws {
    var configuration = try options.configuration()
    scoring.apply(to: &configuration.score)
    cut.apply(to: &configuration.noise)
    write.apply(to: &configuration.write)
    try options.run(configuration, on: shards) {
      try Run.clean($0, ensemble: ensemble, rebuilds: rebuild, in: $1)
    }
  }
}
