import ArgumentParser
import Pipeline
import Reports

struct Fit: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Merge the statistics of scored folders and fit the noise model.",
    discussion: """
      Example:
        winnow fit /data/clean
        winnow fit /data/night1 /data/night2 --out /data/both --max-noise 0.1
      """)

  @Argument(help: "Folders that `winnow score` wrote (default: the one given by --out).")
  var directories: [String] = []

  @OptionGroup var options: RunOptions
  @OptionGroup var cut: CutOptions

  func validate() throws {
    if directories.contains("") { throw ValidationError("A folder's name is empty.") }
  }

  func run() throws {
    var configuration = try options.configuration()
    cut.apply(to: &configuration.noise)
    if configuration.output == nil, directories.count == 1 {
      configuration.output = directories[0]
    }
    let file = try options.perform(configuration) { run in
      try Run.fit(
        directories.isEmpty ? [run.directory] : directories.map(RunDirectory.init), in: run)
    }
    if !options.quiet { StandardError.print(file.text) }
  }
}
