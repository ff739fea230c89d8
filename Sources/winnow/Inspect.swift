import ArgumentParser
import Pipeline
import Reports

struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Describe shards and list what is wrong with them.",
    discussion: """
      Example:
        winnow inspect /data/crawl/00042.tar
      """)

  @OptionGroup var shards: ShardArguments

  @Option(help: "A pipeline file (YAML): what counts as image and caption.")
  var pipeline: String?

  @Flag(help: "Print JSON.")
  var json = false

  func run() throws {
    let configuration = try pipeline.map { try PipelineFile.load($0) } ?? RunConfiguration()
    let selection = try shards.expand(configuration)
    try selection.checkFiles()
    let cancellation = Cancellation()
    let signals = Signals(cancelling: cancellation)
    defer { withExtendedLifetime(signals) {} }
    var all: [Inspection] = []
    var isWhole = true
    for path in selection.paths {
      let inspection = try Inspection.inspect(
        path, configuration: configuration, cancellation: cancellation)
      isWhole = isWhole && inspection.fault == nil
      if json { all.append(inspection) } else { try StandardOutput.print(inspection.text) }
    }
    if json { try StandardOutput.print(try Inspection.json(all)) }
    if !isWhole { throw ExitCode(3) }
  }
}
