import Encoders
import Foundation
import Images
import Layers
import Training

/// Stage "train": the pairs of lowest content hash become the judges' training corpus, and the judges are trained.
/// Publishes `DIR/ensemble`; what is trained when the run is killed stays under `.winnow/training`.
enum TrainStage {
  typealias Fault = (path: String, message: String)

  /// - Returns: the judges, and the shards that couldn't be read to their end while they were trained.
  static func run(
    _ increment: Increment, in run: RunContext
  ) throws -> (judges: Judges, faults: [Fault]) {
    let sections: [Settings.Section] = [.read, .images, .judges]
    if FileManager.default.fileExists(atPath: run.directory.ensemble) {
      // Perhaps brought from elsewhere: then `judges` isn't pinned, and isn't what decides.
      try Settings.compare(sections, in: run)
      run.observe(.note("\(run.directory.ensemble) is there already; nothing to train"))
      return (try Judges(directory: run.directory.ensemble), [])
    }
    try Settings.pin(sections, in: run)
    let faults = try publish(increment, in: run)
    try? FileManager.default.removeItem(atPath: run.directory.training)
    // As stored, so that a resumed run judges with the very same numbers.
    return (try Judges(directory: run.directory.ensemble), faults)
  }

  /// Trains what is to be trained, and fits what is pretrained to the corpus' bank.
  private static func publish(_ increment: Increment, in run: RunContext) throws -> [Fault] {
    let pretrained = try PretrainedMembers(run.configuration.judges.members)
    let trained = run.configuration.judges.members.filter { $0.pretrained == nil }
    var (ensemble, faults): (Ensemble?, [Fault]) = (nil, [])
    if !trained.isEmpty {
      let corpus: ThumbnailCache
      (corpus, faults) = try gather(
        increment, limit: run.configuration.judges.maxPairs, forms: trained.thumbnailForms, in: run)
      ensemble = try run.stage(.train) { try train(on: corpus, from: increment, in: run) }
    }
    if !pretrained.isEmpty {
      let whole = try pretrained.join(ensemble, from: increment, in: run)
      (ensemble, faults) = (whole.ensemble, ensemble == nil ? whole.faults : faults)
    }
    guard let ensemble else { throw RunError.usage("judges.members must name at least one") }
    try Judges.check(ensemble, of: run.directory.ensemble)
    try run.publishing.publish(folder: run.directory.ensemble) { try ensemble.write(to: $0) }
    return faults
  }

  /// The pairs of lowest content hash, at most `limit`, with their thumbnails in `forms`.
  static func gather(
    _ increment: Increment, limit: Int, forms: [ThumbnailForm], in run: RunContext
  ) throws -> (corpus: ThumbnailCache, faults: [Fault]) {
    try run.stage(.gather) {
      let progress = ProgressCounter(
        .gather, total: 2 * increment.shards.count, observe: run.observe)
      let (hashes, faults) = try select(increment, limit: limit, progress, in: run)
      let corpus = try ThumbnailCache(
        hashes: hashes, forms: forms, directory: "\(run.directory.temporary)/training-corpus")
      try fill(corpus, from: increment, progress, in: run)
      return (corpus, faults)
    }
  }

  private static func train(
    on corpus: ThumbnailCache, from increment: Increment, in run: RunContext
  ) throws -> Ensemble {
    try run.directory.makeFolder(run.directory.training)
    var configuration = run.configuration.judges
    configuration.members.removeAll { $0.pretrained != nil }
    do {
      return try trainEnsemble(
        corpus, configuration: configuration, workers: run.workers,
        checkpoints: run.directory.training, key: try key(increment, in: run),
        publish: { try run.publishing.publish($0, write: $1) },
        progress: { progress in
          run.observe(
            .progress(
              .train, done: Double(progress.step), total: Double(progress.steps), pairs: 0,
              detail: "\(progress.member), loss \(progress.loss)"))
        },
        isCancelled: { run.cancellation.isCancelled })
    } catch TrainingError.cancelled {
      try run.cancellation.check()
      throw TrainingError.cancelled
    }
  }

  /// Tells this run's checkpoints from those of other shards or settings.
  private static func key(_ increment: Increment, in run: RunContext) throws -> String {
    let settings = try Settings.digest(run.configuration, sections: [.read, .images, .judges])
    let shards = increment.shards.map(\.digest).joined(separator: "\n")
    return Digest.of(Array("\(settings)\n\(shards)".utf8))
  }

  /// One pass that only hashes.
  private static func select(
    _ increment: Increment, limit: Int, _ progress: ProgressCounter, in run: RunContext
  ) throws -> ([ContentHash], [Fault]) {
    let selection = HashSelection(limit: limit)
    let faults = try parallelMap(increment.shards.count, workers: run.workers) { i -> Fault? in
      defer { progress.add(done: 1) }
      var hashes: [ContentHash] = []
      let fault = try pairs(of: increment.shards[i], in: run) { _, _, hash in
        hashes.append(hash)
        if hashes.count == 4096 {
          selection.offer(hashes)
          hashes.removeAll(keepingCapacity: true)
        }
      }
      selection.offer(hashes)
      return fault
    }
    return (selection.selected, faults.compactMap { $0 })
  }

  /// A second pass that decodes what was selected.
  static func fill(
    _ corpus: ThumbnailCache, from increment: Increment, _ progress: ProgressCounter,
    in run: RunContext
  ) throws {
    let decoder = run.configuration.images.decoder
    _ = try parallelMap(increment.shards.count, workers: run.workers) { i in
      _ = try pairs(of: increment.shards[i], in: run) { image, caption, hash in
        guard let slot = corpus.slot(of: hash), !corpus.isStored(slot) else { return }
        guard
          let thumbnails = try? decoder.thumbnails(of: image, forms: corpus.forms)
        else { return }
        try corpus.store(slot, thumbnails: thumbnails.map(\.pixels), caption: caption)
        progress.add(pairs: 1)
      }
      progress.add(done: 1)
    }
    corpus.seal()
  }

  /// - Returns: why the shard couldn't be read to its end, if it couldn't.
  private static func pairs(
    of shard: Increment.Shard, in run: RunContext,
    _ body: (_ image: [UInt8], _ caption: String, _ hash: ContentHash) throws -> Void
  ) throws -> Fault? {
    try shard.checkUnchanged()
    let reader = PairReader(path: shard.path, configuration: run.configuration.read)
    while let record = reader.next() {
      try run.cancellation.check()
      guard case .pair(let image, let caption, let hash) = record.outcome else { continue }
      try body(image, caption, hash)
    }
    return reader.fault.map { (shard.path, reader.message ?? $0.rawValue) }
  }
}
