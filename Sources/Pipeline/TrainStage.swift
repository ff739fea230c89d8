import Encoders
import Foundation
import Images
import Layers
import Training

/// Stage "train": the pairs of lowest content hash become the judges' training corpus, and the judges are trained.
/// Publishes `DIR/ensemble`; what is trained when the run is killed stays under `.winnow/training`.
enum TrainStage {
  static func run(_ increment: Increment, in run: RunContext) throws -> Judges {
    try Settings.pin([.read, .images, .judges], in: run)
    if FileManager.default.fileExists(atPath: run.directory.ensemble) {
      return try Judges(directory: run.directory.ensemble)
    }
    let corpus = try run.stage(.gather) {
      let corpus = try ThumbnailCache(
        hashes: try select(increment, in: run), side: run.configuration.judges.imageSide,
        directory: "\(run.directory.temporary)/training-corpus")
      try fill(corpus, from: increment, in: run)
      return corpus
    }
    let ensemble = try run.stage(.train) { try train(on: corpus, from: increment, in: run) }
    try run.publishing.publish(folder: run.directory.ensemble) { try ensemble.write(to: $0) }
    try? FileManager.default.removeItem(atPath: run.directory.training)
    // As stored, so that a resumed run judges with the very same numbers.
    return try Judges(directory: run.directory.ensemble)
  }

  private static func train(
    on corpus: ThumbnailCache, from increment: Increment, in run: RunContext
  ) throws -> Ensemble {
    try run.directory.makeFolder(run.directory.training)
    do {
      return try trainEnsemble(
        corpus, configuration: run.configuration.judges, workers: run.workers,
        checkpoints: run.directory.training, key: try key(increment, in: run),
        publish: { try run.publishing.publish($0, write: $1) },
        progress: { progress in
          run.observe(
            .progress(
              .train, done: Double(progress.step), total: Double(progress.steps), pairs: 0,
              detail: "\(progress.member), loss \(progress.loss)"))
        },
        isCancelled: { run.cancellation.isCancelled })
    } catch TrainingError.tooFewPairs(let have, let need) {
      throw RunError.tooFewPairs(have: have, need: need)
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
    _ increment: Increment, in run: RunContext
  ) throws -> [ContentHash] {
    let selection = HashSelection(limit: run.configuration.judges.maxPairs)
    _ = try parallelMap(increment.shards.count, workers: run.workers) { i in
      var hashes: [ContentHash] = []
      try pairs(of: increment.shards[i], in: run) { _, _, hash in
        hashes.append(hash)
        if hashes.count == 4096 {
          selection.offer(hashes)
          hashes.removeAll(keepingCapacity: true)
        }
      }
      selection.offer(hashes)
    }
    return selection.selected
  }

  /// A second pass that decodes what was selected.
  private static func fill(
    _ corpus: ThumbnailCache, from increment: Increment, in run: RunContext
  ) throws {
    let progress = ProgressCounter(.gather, total: increment.shards.count, observe: run.observe)
    let decoder = run.configuration.images.decoder
    let geometry = run.configuration.judges.geometry
    _ = try parallelMap(increment.shards.count, workers: run.workers) { i in
      try pairs(of: increment.shards[i], in: run) { image, caption, hash in
        guard let slot = corpus.slot(of: hash), !corpus.isStored(slot) else { return }
        guard
          let thumbnail = try? decoder.thumbnail(
            of: image, side: corpus.side, geometry: geometry)
        else { return }
        try corpus.store(slot, thumbnail: thumbnail.pixels, caption: caption)
        progress.add(pairs: 1)
      }
      progress.add(done: 1)
    }
    corpus.seal()
  }

  private static func pairs(
    of shard: Increment.Shard, in run: RunContext,
    _ body: (_ image: [UInt8], _ caption: String, _ hash: ContentHash) throws -> Void
  ) throws {
    try shard.checkUnchanged()
    let reader = PairReader(path: shard.path, configuration: run.configuration.read)
    while let record = reader.next() {
      try run.cancellation.check()
      guard case .pair(let image, let caption, let hash) = record.outcome else { continue }
      try body(image, caption, hash)
    }
  }
}
