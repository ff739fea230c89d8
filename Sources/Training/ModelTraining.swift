import Encoders
import Foundation
import Layers
import Text

/// Everything that decides what the model that the clean pairs are for learns.
public struct ModelTrainingConfiguration: Sendable, Codable, Equatable {
  public var seed: UInt64 = 0
  public var model: MemberConfiguration
  public var epochs = 10
  public var batchSize = 128
  /// Parts that a step is cut into, so that threads can share it out; the result depends on it, and not on the threads.
  public var lanes = 4
  /// At most this many pairs are used, those of lowest content hash: bounds the disk that their thumbnails take.
  public var maxPairs = 1_000_000
  /// Image features of past batches that texts are held against too (EfficientCLIP, section 3); 0 for none.
  public var queue = 0
  /// Epoch by epoch, leave the pairs out that the snapshots trust least; nil for all pairs.
  public var ecl: EnsembleSchedule?
  public var mlm = MaskedLanguageConfiguration()
  public var optimiser = AdamW.Settings()
  public var augmentation = Augmentation()
  /// Seconds from one checkpoint to the next.
  public var checkpointSeconds = 120.0
  /// Steps from one line of the log to the next.
  public var logSteps = 10

  public init() {
    // No word is looked at alone: what is masked is guessed from both sides, so the text tower isn't causal, and its
    // end token, which every caption has, sees all of the caption.
    var text = TextConfiguration(
      kind: .transformer, tokens: .bytePairs, vocabularySize: 8192, width: 128, depth: 3, heads: 4,
      maxTokens: 48)
    text.causal = false
    model = MemberConfiguration(name: "model", image: ImageConfiguration(), text: text)
  }

  var recipe: Recipe {
    Recipe(
      epochs: epochs, batchSize: batchSize, lanes: lanes, queue: queue, ecl: ecl,
      optimiser: optimiser, augmentation: augmentation)
  }
}

/// Unpaired text and what the masking needs to know of its vocabulary.
public struct UnpairedText: Sendable {
  public var texts: any TokenizedTexts
  public var vocabulary: MaskingVocabulary

  public init(texts: any TokenizedTexts, vocabulary: MaskingVocabulary) {
    self.texts = texts
    self.vocabulary = vocabulary
  }
}

/// Where a training is kept.
public struct TrainingCheckpoint: Sendable {
  public var path: String
  /// What the run was begun with.
  public var key: String
  public var publish: @Sendable (_ path: String, _ write: (String) throws -> Void) throws -> Void

  public init(
    path: String, key: String,
    publish: @escaping @Sendable (_ path: String, _ write: (String) throws -> Void) throws -> Void
  ) {
    (self.path, self.key, self.publish) = (path, key, publish)
  }
}

/// Who is told of a training.
public struct TrainingObserver {
  /// The step that it goes on from, and all steps.
  public var began: (_ step: Int, _ steps: Int) throws -> Void
  /// Before a checkpoint of this step is visible.
  public var saved: (_ step: Int) throws -> Void
  public var step: (StepReport) throws -> Void
  /// A snapshot along the way, and the step that it was taken after; perhaps again after a resume, and then the same.
  public var snapshot: (_ step: Int, _ model: DualEncoder) throws -> Void

  public init(
    began: @escaping (_ step: Int, _ steps: Int) throws -> Void,
    saved: @escaping (_ step: Int) throws -> Void, step: @escaping (StepReport) throws -> Void,
    snapshot: @escaping (_ step: Int, _ model: DualEncoder) throws -> Void
  ) {
    (self.began, self.saved, self.step, self.snapshot) = (began, saved, step, snapshot)
  }
}

/// Trains one model on all pairs of a corpus, and by masked language modelling on unpaired text: EfficientCLIP's
/// L = (contrastive + MLM) / 2. The result depends on nothing but corpus, texts and configuration.
///
/// - Parameters:
///   - corpus: different pairs, in the order of their content hashes.
///   - tokenizer: of the model's text encoder, where that has a vocabulary.
///   - text: nil for none, then the loss is the contrastive one.
///   - workers: threads that work on each step.
/// - Returns: the model, with the moving average of its weights.
/// - Throws: `TrainingError`; what `checkpoint.publish` and `observer` throw.
public func trainModel(
  _ corpus: some TrainingCorpus, configuration: ModelTrainingConfiguration,
  tokenizer: (any CaptionTokenizer)?, text: UnpairedText?, workers: Int,
  checkpoint: TrainingCheckpoint, observer: TrainingObserver,
  isCancelled: @escaping @Sendable () -> Bool
) throws -> DualEncoder {
  guard corpus.count >= 2 else {
    throw TrainingError.tooFewPairsForModel(have: corpus.count, need: 2)
  }
  let masking = text.map {
    MaskedLearning(
      texts: $0.texts,
      masking: Masking(
        configuration: configuration.mlm, vocabulary: $0.vocabulary,
        maxTokens: configuration.model.text.maxTokens))
  }
  let seed = configuration.model.seed ?? configuration.seed
  let features = try FeatureCaches(
    [configuration.model], on: corpus, seed: seed,
    checkpoints: (checkpoint.path as NSString).deletingLastPathComponent + "/\(checkpoint.key)",
    publish: checkpoint.publish, workers: workers, isCancelled: isCancelled)
  let trainer = Trainer(
    configuration.recipe, member: configuration.model, seed: seed,
    tokenizer: tokenizer, on: corpus, pairs: Array(0..<corpus.count),
    groups: try PairGroups(corpus, isCancelled: isCancelled),
    features: features[configuration.model], masked: masking, workers: workers)
  try trainer.run(
    Checkpoint(
      path: checkpoint.path, seconds: configuration.checkpointSeconds, key: checkpoint.key,
      publish: checkpoint.publish),
    isCancelled: isCancelled, began: { try observer.began($0, trainer.plan.steps) },
    saved: observer.saved,
    onStep: { report in
      try observer.step(report)
      if trainer.plan.snapshot(after: report.step, of: configuration.model.snapshots) != nil {
        try observer.snapshot(report.step, trainer.average())
      }
    })
  trainer.optimiser.adoptAverage()
  return trainer.encoder
}
