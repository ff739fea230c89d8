import ArgumentParser
import Pipeline
import Reports

struct EvalNoise: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "noise",
    abstract:
      "How well known swaps were found: AUROC, noise rate, precision and recall of the cut.",
    discussion: """
      The truth is a tab-separated file with the columns key, swapped (0 or 1) and kind (none,
      random or category).

      Example:
        winnow eval noise --truth truth.tsv --out /data/clean
      """)

  @Option(help: "The truth file.")
  var truth: String

  @Option(help: "The finished run's output folder.")
  var out: String

  @Flag(help: "Print JSON.")
  var json = false

  func run() throws {
    let evaluation = try NoiseEvaluation(
      of: RunDirectory(out), truth: try NoiseTruth(readText(truth)))
    try StandardOutput.print(json ? try evaluation.json() : evaluation.text)
  }
}
