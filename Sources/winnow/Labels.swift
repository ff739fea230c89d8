import ArgumentParser
import Foundation
import Pipeline
import Reports

struct Labels: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Find wrong labels of a classification data set.",
    discussion: """
      Confident learning on class labels, as cleanlab's find_label_issues: prints the numbers of the flagged examples, the
      most doubtful first. The probabilities must come from a model that has not learned from the example it judges
      (cross-validation). Files of any size are read a chunk at a time.

      --out FILE.npz has the columns index, label, predicted, quality, and the noise model: label_counts, thresholds,
      confident_joint, calibrated_joint. --out FILE.npy has the index only, or with --mask a boolean for each example.

      Examples:
        winnow labels --labels y.npy --pred-probs p.npy --out issues.npz
        winnow labels --labels y.npy --pred-probs p.npy --filter-by both --rank-by normalized_margin | head
      """)

  @Option(help: "The given labels: an npy of whole numbers, the column of each class.")
  var labels: String

  @Option(
    help: "The predicted probabilities: an npy [examples, classes], float16, float32 or float64.")
  var predProbs: String

  @Option(
    help: """
      Who is flagged: prune_by_class as many of each given class as the joint has off its diagonal, prune_by_noise_rate \
      as many of each pair of classes, both what these two agree on; confident_learning what the confident joint counts \
      there, low_normalized_margin and low_self_confidence as many as that, of lowest quality; predicted_neq_given where \
      another class is likelier.
      """)
  var filterBy = LabelFilter.pruneByNoiseRate

  @Option(
    help: """
      The label quality that ranks them: the given label's probability, its margin over the likeliest other one, or \
      that probability weighed against the entropy of all.
      """)
  var rankBy = LabelRank.selfConfidence

  @Flag(help: "Account for class imbalance in the ranking: subtract the classes' thresholds.")
  var adjust = false

  @Option(help: "Flag this share of the estimated issues.")
  var fracNoise = 1.0

  @Option(help: "Examples that each class keeps at least.")
  var minExamplesPerClass = 1

  @Option(help: "How many to flag in each class, comma-separated, instead of what is estimated.")
  var numToRemovePerClass: String?

  @Option(help: "Whose rules; they differ in ties, rare classes and rounding.")
  var rules = LabelRules.cleanlab

  @Option(help: "Write to this file, .npz or .npy.")
  var out: String?

  @Flag(help: "Write a boolean for each example (.npy).")
  var mask = false

  @OptionGroup var threads: WorkerOptions

  @Flag(help: "No summary.")
  var quiet = false

  func validate() throws {
    if let out, !out.hasSuffix(".npz"), !out.hasSuffix(".npy") {
      throw ValidationError("--out \(out) is neither .npz nor .npy.")
    }
    if mask, out?.hasSuffix(".npy") != true {
      throw ValidationError("--mask needs --out FILE.npy.")
    }
  }

  func run() throws {
    for file in [labels, predProbs] where !FileManager.default.fileExists(atPath: file) {
      throw ValidationError("\(file): no such file")
    }
    let options = try options()
    let cancellation = Cancellation()
    let signals = Signals(cancelling: cancellation)
    defer { withExtendedLifetime(signals) {} }
    let stage = try LabelStage(
      labels: labels, probabilities: predProbs, workers: threads.count,
      cancellation: cancellation)
    let result = try stage.run(options)
    if let out {
      let form: LabelIssuesFile.Form = mask ? .mask : out.hasSuffix(".npz") ? .columns : .indices
      try LabelIssuesFile.write(result, as: form, to: out)
    }
    if !quiet { StandardError.print(result.text(options)) }
    // Many at a time, and no string for each: a million lines would take longer than finding them.
    let issues = result.issues
    for start in stride(from: 0, to: issues.count, by: 4096) {
      let rows = issues[start..<min(start + 4096, issues.count)].map(\.row)
      try StandardOutput.write(Self.lines(rows))
    }
  }

  /// The numbers, a line each.
  private static func lines(_ numbers: [Int]) -> [UInt8] {
    // From the last line to the first, as a number's digits come: 19 of them and a newline at most.
    let length = 20 * numbers.count
    return [UInt8](unsafeUninitializedCapacity: length) { text, count in
      var start = length
      func put(_ byte: UInt8) {
        start -= 1
        text[start] = byte
      }
      for number in numbers.reversed() {
        put(UInt8(ascii: "\n"))
        var rest = UInt(number)
        repeat {
          put(UInt8(ascii: "0") + UInt8(rest % 10))
          rest /= 10
        } while rest > 0
      }
      count = length - start
      if let base = text.baseAddress { memmove(base, base + start, count) }
    }
  }

  private func options() throws -> LabelOptions {
    var options = LabelOptions()
    options.filter = filterBy
    options.rules = rules
    options.fractionOfNoise = fracNoise
    options.minimumPerClass = minExamplesPerClass
    options.rank = rankBy
    options.adjustsRank = adjust
    options.removedPerClass = try numToRemovePerClass.map { text in
      try text.split(separator: ",", omittingEmptySubsequences: false).map {
        guard let number = Int($0.trimmingCharacters(in: .whitespaces)) else {
          throw ValidationError("--num-to-remove-per-class \(text): '\($0)' is no number.")
        }
        return number
      }
    }
    return options
  }
}

extension LabelFilter: ExpressibleByArgument {}
extension LabelRank: ExpressibleByArgument {}
extension LabelRules: ExpressibleByArgument {}
