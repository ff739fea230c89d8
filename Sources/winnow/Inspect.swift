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
    let cancellation = Cancellation()
    let signals = Signals(cancelling: cancellation)
    defer { withExtendedLifetime(signals) {} }
    var all: [Inspection] = []
    var isWhole = true
    for shard in try shards.expand(configuration) {
      let inspection = try Inspection.inspect(
        shard.path, configuration: configuration, cancellation: cancellation)
      isWhole = isWhole && inspection.fault == nil
      if json { all.append(inspection) } else { print(inspection.text) }
    }
    if json { print(try Inspection.json(all)) }
    if !isWhole { throw ExitCode(3) }
  }
}
