import ArgumentParser
import Foundation
import Pipeline

struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train judges on noisy shards (DIR/ensemble), or a model on clean ones (DIR/model).",
    discussion: """
      On shards that Winnow cleaned this is the trainer that they are for: one model learns from all
      pairs, and from unpaired text where --text names some; DIR/train.jsonl tells how it goes. On
      other shards it makes the judges that `winnow clean` would make. --for decides otherwise.

      Examples:
        winnow train /data/clean/clean --text /data/books --out /data/model
        winnow train /data/crawl --out /data/judges

      A stopped run goes on where it was when the same command is given again. What came to its folders since
      is told and left out: `winnow clean` judges it after the rest, a model learns from it with another --out.
      """)

  enum Purpose: String, ExpressibleByArgument, CaseIterable {
    case judges, downstream
  }

  @OptionGroup var shards: ShardArguments
  @OptionGroup var options: RunOptions

  @Option(
    name: .customLong("for"),
    help: "judges or downstream (default: downstream where Winnow wrote the shards, else judges).")
  var purpose: Purpose?

  @Option(
    help:
      "Unpaired text: .txt (a passage a line; .gz, .zst, .bz2 and .xz too), text-only shards, or folders."
  )
  var text: [String] = []

  @Option(help: "How often each pair is seen.")
  var epochs: Int?

  func validate() throws {
    if let epochs, epochs < 1 { throw ValidationError("--epochs is at least 1.") }
  }

  func run() throws {
    var configuration = try options.configuration()
    if let epochs {
      configuration.judges.epochs = epochs
      configuration.train.epochs = epochs
    }
    if !text.isEmpty { configuration.text = text }
    try options.run(configuration, on: shards) { selection, run in
      let chosen = purpose ?? (selection.winnowOutput == nil ? .judges : .downstream)
      if !options.quiet { StandardError.print(reason(chosen, selection)) }
      switch chosen {
      case .judges:
        guard configuration.text.isEmpty else {
          throw ValidationError(
            "--text is for a model (--for downstream); judges learn from pairs alone.")
        }
        return try Run.train(selection, in: run)
      case .downstream:
        return try Run.trainModel(
          selection, texts: TextSelection(configuration.text), in: run)
      }
    }
  }

  private func reason(_ chosen: Purpose, _ selection: ShardSelection) -> String {
    let what = chosen == .judges ? "training judges" : "training a model on all pairs"
    if purpose != nil { return "\(what), as --for says" }
    if let output = selection.winnowOutput {
      return
        "\(what), since \(output.folder) was written by Winnow (--for judges would train judges)"
    }
    return
      "\(what), since the shards don't lie in what Winnow wrote (--for downstream would train a model)"
  }
}
