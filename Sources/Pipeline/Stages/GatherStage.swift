import Encoders
import Images
import Layers

/// Stage "gather": the pairs of lowest content hash become a training corpus, their images decoded to thumbnails.
enum GatherStage {
  typealias Fault = (path: String, message: String)

  /// - Parameters:
  ///   - limit: pairs at most.
  ///   - forms: of the thumbnails.
  /// - Returns: the corpus, and the shards that couldn't be read to their end.
  static func run(
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
    let reader = try PairReader(shard, in: run)
    while let record = reader.next() {
      try run.cancellation.check()
      guard case .pair(let image, let caption, let hash) = record.outcome else { continue }
      try body(image, caption, hash)
    }
    if let failure = shard.failure(reader.fault, reader.message) { throw failure }
    return reader.fault.map { (shard.path, reader.message ?? $0.rawValue) }
  }
}
