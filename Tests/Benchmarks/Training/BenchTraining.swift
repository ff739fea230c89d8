import ArgumentParser
import BenchmarkSupport
import Encoders
import Foundation
import Pipeline

@main
struct BenchTraining: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench-training",
    abstract: "Train one small model on noisy, cleaned, random, top-scored and truly clean pairs.",
    discussion: """
      Prepares the sets below --out (once), trains the cells that have no result yet, and prints the table of
      all results that are there. What is compared, and what the columns mean: Tests/Benchmarks/README.md.

      Example:
        bench-training --corpus Samples/data/swap-0.3 --out Samples/data/bench-training \\
          --text Samples/data/text/glosses.txt --seeds 0,1,2 --cells kept,noisy-text
      """)

  @Option(help: "The swapped sample corpus, with its truth.tsv.")
  var corpus: String

  @Option(help: "Where sets and results go.")
  var out: String

  @Option(help: "Unpaired text for the cells that learn from it: files, a passage a line.")
  var text: [String] = []

  @Option(help: "The model and how it is trained (pipeline file).")
  var pipeline: String

  @Option(help: "How (b) is cleaned (pipeline file; default: as winnow clean does by itself).")
  var cleaning: String?

  @Option(help: "Seeds, separated by commas.")
  var seeds = "0,1,2"

  @Option(
    help:
      "Train only cells whose name begins with one of these, separated by commas: kept, noisy-text-0."
  )
  var cells = ""

  @Option(help: "How often (a) sees each pair; the other sets are trained for as many steps.")
  var epochs = 10

  @Option(help: "Pairs to test on.")
  var heldOut = 800

  @Option(help: "The winnow command (default: the one beside this).")
  var winnow: String?

  func validate() throws {
    if seedNumbers.isEmpty { throw ValidationError("--seeds are whole numbers, as in 0,1,2.") }
    if epochs < 1 || heldOut < 10 {
      throw ValidationError("--epochs is at least 1, --held-out at least 10.")
    }
  }

  private var seedNumbers: [UInt64] { seeds.split(separator: ",").compactMap { UInt64($0) } }

  func run() throws {
    let sets = try PreparedSets(
      corpus: corpus, out: out, heldOut: heldOut, seeds: seedNumbers, winnow: command,
      cleaning: cleaning)
    say(sets.description)
    let runner = CellRunner(
      sets: sets, out: out, pipeline: pipeline, texts: text, epochs: epochs, winnow: command)
    let prefixes = cells.split(separator: ",").map(String.init)
    var results: [CellResult] = []
    for cell in Cell.grid(seeds: seedNumbers) where !cell.text || !text.isEmpty {
      if let known = try runner.known(cell) {
        results.append(known)
      } else if prefixes.isEmpty || prefixes.contains(where: cell.name.hasPrefix) {
        results.append(try runner.run(cell))
      }
    }
    let summary = Summary(
      results, heldOut: sets.heldOut.count, trainingNoiseRate: sets.noiseRate(of: .noisy),
      keptNoiseRate: sets.noiseRate(of: .kept))
    try json(summary).write(to: URL(fileURLWithPath: "\(out)/summary.json"), options: .atomic)
    print(summary.text)
  }

  private var command: Tool {
    winnow.map { Tool(path: $0) } ?? Tool(beside: "winnow")
  }
}
