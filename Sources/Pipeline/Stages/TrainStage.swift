import Encoders
import Foundation
import Images
import Layers
import Training

/// Stage "train": the pairs of lowest content hash become the judges' training corpus, and the judges are trained.
/// Publishes `DIR/ensemble`; what is there of it when the run is killed stays in a `TrainingFolder`.
enum TrainStage {
  private static let sections: [Settings.Section] = [.read, .images, .judges]

  /// - Returns: the judges, and the shards that couldn't be read to their end while they were trained.
  static func run(
    _ increment: Increment, in run: RunContext
  ) throws -> (judges: Judges, faults: [GatherStage.Fault]) {
    if FileManager.default.fileExists(atPath: run.directory.ensemble) {
      // Perhaps brought from elsewhere: then `judges` isn't pinned, and isn't what decides.
      try Settings.compare(sections, in: run)
      // A run that was killed after it had published them may have left it.
      TrainingFolder.remove(.judges, in: run)
      if increment.index == 0 {
        run.observe(.note("\(run.directory.ensemble) is there already; nothing to train"))
      }
      return (try Judges(directory: run.directory.ensemble), [])
    }
    try OutputCheck.checkPresent(run.directory.ensemble, in: run)
    try Settings.pin(sections, in: run)
    let faults: [GatherStage.Fault]
    do {
      faults = try publish(increment, in: run)
    } catch let error as TrainingError {
      if error == .cancelled { try run.cancellation.check() }
      // The next run is to learn from these shards and from what came since.
      if case .tooFewPairs = error, increment.index == 0 {
        try? FileManager.default.removeItem(atPath: run.directory.increment(0))
        TrainingFolder.remove(.judges, in: run)
      }
      throw error
    }
    TrainingFolder.remove(.judges, in: run)
    // As stored, so that a resumed run judges with the very same numbers.
    return (try Judges(directory: run.directory.ensemble), faults)
  }

  /// Trains what is to be trained, and fits what is pretrained to the corpus' bank.
  private static func publish(_ increment: Increment, in run: RunContext) throws -> [GatherStage
    .Fault]
  {
    let pretrained = try PretrainedMembers(run.configuration.judges.members)
    let trained = run.configuration.judges.members.filter { $0.pretrained == nil }
    let key = try Digest.ofTraining(
      sections, inputs: [increment.digest], members: trained, in: run)
    let folder = try TrainingFolder(.judges, key: key, in: run)
    var (ensemble, faults): (Ensemble?, [GatherStage.Fault]) = (nil, [])
    if !trained.isEmpty {
      let corpus: ThumbnailCache
      (corpus, faults) = try GatherStage.run(
        increment, limit: run.configuration.judges.maxPairs, forms: trained.thumbnailForms,
        to: folder, in: run)
      ensemble = try run.stage(.train) { try train(on: corpus, folder, key: key, in: run) }
    }
    if !pretrained.isEmpty {
      let whole = try pretrained.join(ensemble, from: increment, to: folder, in: run)
      (ensemble, faults) = (whole.ensemble, ensemble == nil ? whole.faults : faults)
    }
    guard let ensemble else { throw RunError.usage("judges.members must name at least one") }
    try Judges.check(ensemble, of: run.directory.ensemble)
    try run.publishing.publish(folder: run.directory.ensemble) { try ensemble.write(to: $0) }
    return faults
  }

  private static func train(
    on corpus: ThumbnailCache, _ folder: TrainingFolder, key: String, in run: RunContext
  ) throws -> Ensemble {
    var configuration = run.configuration.judges
    configuration.members.removeAll { $0.pretrained != nil }
    do {
      return try trainEnsemble(
        corpus, configuration: configuration, workers: run.workers,
        checkpoints: folder.path, key: key,
        publish: { try run.publishing.publish($0, write: $1) },
        progress: { progress in
          run.observe(
            .progress(
              .train, done: Double(progress.step), total: Double(progress.steps), pairs: 0,
              detail: "\(progress.member), loss \(progress.loss)"))
        },
        isCancelled: { run.cancellation.isCancelled })
    } catch TrainingError.diverged(let step) {
      throw RunError.badEnsemble(
        directory: run.directory.ensemble,
        detail:
          "after step \(step) a member's loss or weights are no finite numbers; train again with a "
          + "lower judges.optimiser.peakRate and another --out")
    }
  }
}
