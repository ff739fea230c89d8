import ArgumentParser
import Foundation
import Pipeline

struct Eval: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure a trained member on held-out data, or a finished run against a known truth.",
    discussion: """
      Examples:
        winnow eval retrieval held-out/*.tar --model /data/judges
        winnow eval text --labels labels.tsv --model /data/judges
        winnow eval noise --truth truth.tsv --out /data/clean

      Each prints a table, or JSON with --json.
      """,
    subcommands: [EvalRetrieval.self, EvalText.self, EvalNoise.self])
}

/// The member to encode with.
struct ModelOptions: ParsableArguments {
  @Option(
    name: [.long, .customLong("member")],
    help: """
      The model to encode with: what `winnow train` or `winnow clean` left, a pretrained model's folder, or one of an
      ensemble's KIND-foldK.safetensors.
      """)
  var model: String?

  @Option(help: "The kind of member, where an ensemble has several.")
  var kind: String?

  @Option(help: "The fold that an ensemble's member held out.")
  var fold: Int?

  @OptionGroup var threads: WorkerOptions

  func load() throws -> EmbeddingMember {
    guard let model else { throw ValidationError("No model: give --model.") }
    return try EmbeddingMember(model, kind: kind, fold: fold)
  }
}

/// A whole file as text.
func readText(_ path: String) throws -> String {
  guard let data = FileManager.default.contents(atPath: path) else {
    throw ValidationError("\(path): \(whyUnreadable(path))")
  }
  guard let text = String(validating: data, as: UTF8.self) else {
    throw ValidationError("\(path): it isn't UTF-8")
  }
  return text
}
