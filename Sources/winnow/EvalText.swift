import ArgumentParser
import Pipeline
import Reports

struct EvalText: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "text",
    abstract: "Text embeddings: retrieval of texts that mean the same, and classification.",
    discussion: """
      Pairs are a tab-separated file with the columns text and match, or an npz with such columns of
      embeddings. Labels are a tab-separated file with the columns text and label, or an npy beside
      --embeddings. Labels are told by a linear probe (logistic regression with an L2 penalty) and by
      the nearest neighbours, in cross-validation: equal texts stay in one fold.

      Examples:
        winnow eval text --pairs translations.tsv --model /data/judges
        winnow eval text --labels categories.tsv --model /data/judges --json
        winnow eval text --embeddings text.npy --labels labels.npy
      """)

  @OptionGroup var model: ModelOptions

  @Option(help: "Texts that mean the same: tab-separated, or an npz of embeddings.")
  var pairs: String?

  @Option(help: "Labels: tab-separated texts and labels, or an npy with --embeddings.")
  var labels: String?

  @Option(help: "Embeddings to classify (npy), instead of texts.")
  var embeddings: String?

  @Option(help: "Folds of the cross-validation.")
  var folds = 5

  @Option(help: "Decides which text falls into which fold.")
  var seed: UInt64 = 0

  @Option(help: "Neighbours that vote.")
  var neighbours = 10

  @Option(help: "The linear probe's C, as in scikit-learn (default: chosen on held-out texts).")
  var strength: Double?

  @Flag(help: "Print JSON.")
  var json = false

  func validate() throws {
    guard pairs != nil || labels != nil else {
      throw ValidationError("Nothing to evaluate: give --pairs, --labels or both.")
    }
    guard embeddings == nil || labels != nil else {
      throw ValidationError("--embeddings are classified by --labels; give these too.")
    }
    let hasTexts = pairs.map(Self.isText) ?? false || labels != nil && embeddings == nil
    guard model.model == nil || hasTexts else {
      throw ValidationError("--model encodes texts, and only embeddings are given; leave it out.")
    }
    guard folds >= 2, neighbours >= 1, strength.map({ $0 > 0 && $0.isFinite }) ?? true else {
      throw ValidationError("--folds is at least 2, --neighbours 1, --strength above 0.")
    }
  }

  func run() throws {
    var evaluation = TextEvaluation()
    if let pairs {
      let texts =
        Self.isText(pairs)
        ? try TextPairs(table: readText(pairs), encode: encode) : try TextPairs(npz: pairs)
      evaluation.retrieval = try texts.evaluate(workers: model.threads.count)
    }
    if let labels {
      let texts =
        try embeddings.map { try LabelledTexts(embeddings: $0, labels: labels) }
        ?? LabelledTexts(table: readText(labels), encode: encode)
      var options = TextClassification.Options()
      options.folds = folds
      options.seed = seed
      options.neighbours = neighbours
      options.strength = strength
      options.workers = model.threads.count
      evaluation.classification = try texts.classify(options)
    }
    try StandardOutput.print(json ? try evaluation.json() : evaluation.text)
  }

  /// Whether a file of pairs holds texts, and not embeddings.
  private static func isText(_ pairs: String) -> Bool { !pairs.hasSuffix(".npz") }

  private func encode(_ texts: [String]) throws -> Embeddings {
    let encoder = try model.load().encoder
    return Embeddings(
      rows: texts.count, columns: encoder.configuration.dimension,
      values: try encoder.encode(texts: texts, workers: model.threads.count))
  }
}
