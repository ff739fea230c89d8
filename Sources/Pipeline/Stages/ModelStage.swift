import Encoders
import Foundation
import Training

/// The downstream trainer: one model on all pairs of the shards and on unpaired text. Publishes `DIR/model`, and snapshots
/// along the way as `DIR/snapshots/STEP`; until it is done what a resumed run needs stays in a `TrainingFolder`.
enum ModelStage {
  private static let sections: [Settings.Section] = [.read, .images, .train]

  /// - Returns: the shards and texts that couldn't be read to their end.
  static func run(
    _ increment: Increment, texts: Increment, in run: RunContext
  ) throws -> [GatherStage.Fault] {
    let directory = run.directory
    if FileManager.default.fileExists(atPath: directory.model) {
      try Settings.compare(sections, in: run)
      TrainingFolder.remove(.model, in: run)
      run.observe(.note("\(directory.model) is there already; nothing to train"))
      return []
    }
    try Settings.pin(sections, in: run)
    let settings = run.configuration.train
    let key = try Digest.ofTraining(
      sections, inputs: [increment.digest, texts.digest], members: [settings.model], in: run)
    let folder = try TrainingFolder(.model, key: key, in: run)
    let (corpus, faults) = try GatherStage.run(
      increment, limit: settings.maxPairs, forms: [settings.model.image.thumbnail], to: folder,
      in: run)
    let language = try TokenizeStage.run(corpus, texts: texts, keptIn: folder, in: run)
    try run.stage(.train) {
      let shards = increment.digest
      let encoder = try train(
        on: corpus, language, folder, key: key, shards: shards, in: run)
      try check(encoder, in: run)
      try run.publishing.publish(folder: directory.model) {
        try MemberFolder.write(
          encoder, tokenizer: language.files, trainedOn: shards, to: $0)
      }
    }
    TrainingFolder.remove(.model, in: run)
    run.observe(.note("the model is in \(directory.model), its log in \(directory.trainingLog)"))
    return faults + language.faults
  }

  private static func train(
    on corpus: ThumbnailCache, _ language: TokenizeStage.Result, _ folder: TrainingFolder,
    key: String, shards: String, in run: RunContext
  ) throws -> DualEncoder {
    var settings = run.configuration.train
    var tokenizer: VocabularyTokenizer?
    if let vocabulary = language.tokenizer {
      settings.model.text.vocabularySize = vocabulary.vocabularySize
      // The files lie beside the weights, wherever the folder is moved to.
      settings.model.text.vocabulary = nil
      // A given vocabulary may be larger than any that is learnt.
      do { try settings.model.check() } catch { throw RunError.usage("train.model: \(error)") }
      tokenizer = VocabularyTokenizer(
        tokenizer: vocabulary, limit: settings.model.text.maxTokens,
        stopsAtEnd: true)
    }
    let log = TrainingLog(path: run.directory.trainingLog)
    let lines = settings.logSteps
    var total = 0
    let checkpoint = TrainingCheckpoint(
      path: "\(folder.path)/model.checkpoint", key: key,
      publish: { try run.publishing.publish($0, write: $1) })
    let observer = TrainingObserver(
      began: { step, steps in
        total = steps
        try log.begin(after: step)
        if step > 0 { run.observe(.note("going on after step \(step) of \(steps)")) }
      }, saved: { _ in log.flush() },
      step: { report in
        try log.add(report, isDue: report.step % lines == 0 || report.step == total)
        run.observe(
          .progress(
            .train, done: Double(report.step), total: Double(total), pairs: 0,
            detail: "epoch \(report.epoch), loss \(report.loss)"))
      },
      snapshot: { step, model in
        let folder = "\(run.directory.snapshots)/\(RunDirectory.padded(step))"
        // One that an earlier process left is the same.
        guard !FileManager.default.fileExists(atPath: folder) else { return }
        try check(model, in: run)
        try run.directory.makeFolder(run.directory.snapshots)
        try run.publishing.publish(folder: folder) {
          try MemberFolder.write(
            model, tokenizer: language.files, trainedOn: shards, to: $0)
        }
      })
    do {
      return try trainModel(
        corpus, configuration: settings, tokenizer: tokenizer, text: language.text,
        workers: run.workers, checkpoint: checkpoint, observer: observer,
        isCancelled: { run.cancellation.isCancelled })
    } catch TrainingError.diverged {
      throw RunError.badModel(directory: run.directory.path)
    } catch TrainingError.cancelled {
      try run.cancellation.check()
      throw TrainingError.cancelled
    }
  }

  private static func check(_ model: DualEncoder, in run: RunContext) throws(RunError) {
    guard model.weights.allSatisfy({ $0.values.allSatisfy(\.isFinite) }) else {
      throw .badModel(directory: run.directory.path)
    }
  }
}
