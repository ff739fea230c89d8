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
        winnow clean /data/crawl --out /data/clean --dry-run

      With the judges of an earlier run, to try another cut without training again:
        winnow clean /data/crawl --ensemble /data/clean --out /data/other --max-noise 0.05

      Given again over a corpus that grew, the command judges what is new, with the judges and the noise model that it has.
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

  @Flag(
    help:
      "Clean a sample of 2,000 pairs, and tell what the whole, or what is new of it, would come to; writes nothing to OUT."
  )
  var dryRun = false

  @Flag(help: "With --dry-run: JSON.")
  var json = false

  func validate() throws {
    if dryRun, rebuild {
      throw ValidationError("--dry-run and --rebuild are two things; choose one.")
    }
    if json, !dryRun { throw ValidationError("--json goes with --dry-run.") }
  }

  func run() throws {
    var configuration = try options.configuration()
    scoring.apply(to: &configuration.score)
    cut.apply(to: &configuration.noise)
    write.apply(to: &configuration.write)
    if dryRun { return try tellDryRun(configuration) }
    try options.run(configuration, on: shards) {
      try Run.clean($0, ensemble: ensemble, rebuilds: rebuild, in: $1)
    }
  }

  private func tellDryRun(_ configuration: RunConfiguration) throws {
    let selection = try shards.expand(configuration)
    // What it is for leaves no trace.
    var silent = configuration
    (silent.report.log, silent.report.metrics) = (nil, nil)
    let report = try options.perform(silent) {
      try Run.dryRun(selection, ensemble: ensemble, in: $0)
    }
    try StandardOutput.print(json ? try report.json : report.text)
  }
}
