import ArgumentParser
import Pipeline

struct Publish: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "End a run that several processes filtered: count what they wrote, write the manifest.",
    discussion: """
      Example, three processes for each stage:
        winnow train /data/crawl --out /data/clean
        winnow score /data/crawl --out /data/clean --rank 0 --world-size 3    # and 1, and 2
        winnow fit /data/clean
        winnow filter /data/crawl --out /data/clean --rank 0 --world-size 3   # and 1, and 2
        winnow publish --out /data/clean
      Give it the --metrics (or the --pipeline with report.metrics) of the night: no stage before it ends one, and the time of
      the last success is its own.
      """)

  @OptionGroup var options: RunOptions

  func run() throws {
    try options.run(try options.configuration()) { try Run.publish(in: $0) }
  }
}
