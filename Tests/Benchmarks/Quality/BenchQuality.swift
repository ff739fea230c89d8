import ArgumentParser
import BenchmarkSupport
import Foundation

@main
struct BenchQuality: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench-quality",
    abstract: "Known mismatches against what every method and member finds of them.",
    discussion: """
      Runs the cells that have no result yet below --out and prints the tables of all results of the grid that are
      there. What is compared, and what the columns mean: Tests/Benchmarks/README.md.
      """)

  @Option(help: "The folder usr/share of the unpacked sample packages.")
  var packages: String

  @Option(help: "Where corpora, runs and results go.")
  var out: String

  @Option(help: "This benchmark's own folder: judges.yaml, hand-checked.tsv.")
  var folder: String

  @Option(help: "The pipeline file of ECL as released.")
  var ecl: String

  @Option(help: "Seeds, separated by commas.")
  var seeds = "1,2,3"

  @Option(help: "Run only cells whose name begins with one of these, separated by commas.")
  var cells = ""

  @Option(help: "Pairs of the larger corpora.")
  var limit = 3000

  @Flag(help: "All pairs, judged by the default judges: a night.")
  var full = false

  private var seedNumbers: [UInt64] { seeds.split(separator: ",").compactMap { UInt64($0) } }

  func validate() throws {
    if seedNumbers.isEmpty || seedNumbers.count != seeds.split(separator: ",").count {
      throw ValidationError("--seeds are whole numbers, as in 1,2,3.")
    }
    if limit < 200 {
      throw ValidationError("--limit is at least 200: judges must learn from them.")
    }
  }

  func run() throws {
    let lines = try String(contentsOfFile: "\(folder)/hand-checked.tsv", encoding: .utf8)
      .split(separator: "\n").dropFirst()
    let verdicts = lines.map { $0.split(separator: "\t", omittingEmptySubsequences: false) }
      .map { (String($0[0]), String($0[1])) }
    let runner = try QualityRunner(
      out: out + (full ? "/full" : "/default"), packages: packages,
      judges: full ? nil : "\(folder)/judges.yaml", ecl: ecl,
      handChecked: Dictionary(verdicts) { first, _ in first },
      winnow: Tool(beside: "winnow"), buildSamples: Tool(beside: "build-samples"))
    let prefixes = cells.split(separator: ",").map(String.init)
    var results: [QualityResult] = []
    for cell in QualityCell.grid(seeds: seedNumbers, limit: full ? nil : limit) {
      if let known = runner.known(cell) {
        results.append(known)
      } else if prefixes.isEmpty || prefixes.contains(where: cell.name.hasPrefix) {
        results.append(try runner.run(cell))
      }
    }
    guard !results.isEmpty else { return say("No cell of that name.") }
    print(QualitySummary(results).text)
  }
}
