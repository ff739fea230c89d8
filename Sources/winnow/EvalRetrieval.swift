import ArgumentParser
import Pipeline
import Reports

struct EvalRetrieval: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "retrieval",
    abstract: "Image-text retrieval in both directions: R@1, R@5, R@10 and the median rank.",
    discussion: """
      Every different image and every different caption is one query and one candidate. All captions
      that stand at an image are right for it, all images at which a caption stands are right for
      that; what counts is the best-ranked right one, as in CLIP's zero-shot retrieval. A wrong
      candidate that scores the same as the best right one counts as ahead of it.

      With --embeddings nothing is known of the images, so every row counts as one of its own; captions
      are known where `winnow embed` left its metadata.

      Examples:
        winnow eval retrieval 'held-out/{000000..000003}.tar' --model /data/judges
        winnow eval retrieval --embeddings /data/embeddings --json
      """)

  @OptionGroup var shards: ShardArguments
  @OptionGroup var model: ModelOptions

  @Option(help: "Embeddings in clip-retrieval's layout: img_emb/img_emb_N.npy, text_emb/...")
  var embeddings: String?

  @Option(help: "A pipeline file (YAML): what counts as image and caption.")
  var pipeline: String?

  @Flag(help: "Print JSON.")
  var json = false

  func validate() throws {
    if embeddings != nil, model.model != nil || !shards.shards.isEmpty {
      throw ValidationError("Give either shards and --model, or --embeddings.")
    }
  }

  func run() throws {
    if let embeddings {
      return try show(
        RetrievalEvaluation(EmbeddingFolder(embeddings), workers: model.threads.count))
    }
    let configuration = try pipeline.map { try PipelineFile.load($0) } ?? RunConfiguration()
    let encoder = try model.load().encoder
    let selection = try shards.expand(configuration)
    try selection.checkFiles()
    try selection.checkKept()
    let cancellation = Cancellation()
    let signals = Signals(cancelling: cancellation)
    defer { withExtendedLifetime(signals) {} }
    let pairs = try EncodedPairs(
      selection, with: encoder, configuration: configuration, workers: model.threads.count,
      cancellation: cancellation)
    try show(RetrievalEvaluation(pairs, workers: model.threads.count))
    for fault in pairs.faults { StandardError.print(faultLine(fault)) }
    if !pairs.faults.isEmpty { throw ExitCode(3) }
  }

  private func show(_ evaluation: RetrievalEvaluation) throws {
    try StandardOutput.print(json ? try evaluation.json() : evaluation.text)
  }
}
