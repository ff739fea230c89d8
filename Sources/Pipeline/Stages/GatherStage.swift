import Encoders
import Foundation
import Images
import TensorFiles

/// Stage "gather": the pairs of lowest content hash become a training corpus, their images decoded to thumbnails. It lies
/// under `.winnow/training`, with how far it is, until the training is done.
struct GatherStage {
  typealias Fault = (path: String, message: String)

  private let increment: Increment
  private let forms: [ThumbnailForm]
  private let run: RunContext
  private let interval: Duration
  /// Of this corpus alone.
  private let folder: String

  /// - Parameters:
  ///   - limit: pairs at most.
  ///   - forms: of the thumbnails.
  ///   - interval: between two times that it is kept how far it is.
  /// - Returns: the corpus, and the shards that couldn't be read to their end.
  static func run(
    _ increment: Increment, limit: Int, forms: [ThumbnailForm], in run: RunContext,
    interval: Duration = .seconds(30)
  ) throws -> (corpus: ThumbnailCache, faults: [Fault]) {
    try run.stage(.gather) {
      let stage = try GatherStage(
        increment, "the lowest \(limit)", forms: forms, interval: interval, in: run)
      let progress = ProgressCounter(
        .gather, total: 2 * increment.shards.count, observe: run.observe)
      let (hashes, faults) = try stage.select(limit: limit, progress)
      return (try stage.fill(hashes, progress), faults)
    }
  }

  /// - Returns: the pairs of these hashes, ascending, as a corpus.
  static func run(
    _ increment: Increment, hashes: [ContentHash], forms: [ThumbnailForm], in run: RunContext
  ) throws -> ThumbnailCache {
    try run.stage(.gather) {
      let stage = try GatherStage(
        increment, "\(hashes)", forms: forms, interval: .seconds(30), in: run)
      let progress = ProgressCounter(.gather, total: increment.shards.count, observe: run.observe)
      return try stage.fill(hashes, progress)
    }
  }

  /// - Parameter which: tells the pairs from others of the same shards.
  private init(
    _ increment: Increment, _ which: String, forms: [ThumbnailForm], interval: Duration,
    in run: RunContext
  ) throws {
    self.increment = increment
    self.forms = forms
    self.interval = interval
    self.run = run
    let key = try Digest.ofTraining(
      [.read, .images], inputs: [which, "\(forms)", increment.digests], members: [], in: run)
    folder = "\(run.directory.training)/pairs-\(key.prefix(16))"
    try run.directory.makeFolder(folder)
  }

  private func kept(_ file: String) throws(RunError) -> NPZColumns? {
    FileManager.default.fileExists(atPath: file) ? try NPZColumns(path: file) : nil
  }

  /// One pass that only hashes.
  private func select(
    limit: Int, _ progress: ProgressCounter
  ) throws -> ([ContentHash], [Fault]) {
    let file = "\(folder)/selected.npz"
    let selection = HashSelection(limit: limit)
    let kept = try kept(file)
    if let kept { selection.offer(try kept.integers("hash").contentHashes) }
    let pass = ShardPass(try kept.map(ShardPass.Done.init) ?? .init(), interval: interval) {
      [run] done in
      let hashes = selection.selected
      let column = NPYArray.int64(
        hashes.flatMap { [$0.high, $0.low, $0.image].map { Int64(bitPattern: $0) } },
        shape: [hashes.count, 3])
      try run.publishing.publish(file) {
        try NPZ.write(done.columns + [("hash", column)], to: $0)
      }
    }
    let done = try pass.run(increment.shards.count, workers: run.workers, progress) { i in
      var hashes: [ContentHash] = []
      let fault = try pairs(of: increment.shards[i]) { _, _, hash in
        hashes.append(hash)
        if hashes.count == 4096 {
          selection.offer(hashes)
          hashes.removeAll(keepingCapacity: true)
        }
      }
      selection.offer(hashes)
      return fault
    }
    let faults = done.faults.sorted { $0.key < $1.key }
    return (selection.selected, faults.map { (increment.shards[$0.key].path, $0.value) })
  }

  /// A pass that decodes what was selected.
  private func fill(
    _ hashes: [ContentHash], _ progress: ProgressCounter
  ) throws -> ThumbnailCache {
    let file = "\(folder)/stored.npz"
    let kept = try kept(file)
    let corpus = try ThumbnailCache(
      hashes: hashes, forms: forms, directory: folder, places: try kept?.integers("place"))
    let pass = ShardPass(try kept.map(ShardPass.Done.init) ?? .init(), interval: interval) {
      [run] done in
      let places = corpus.places
      try corpus.flush()
      let column = NPYArray.int64(places, shape: [places.count])
      try run.publishing.publish(file) {
        try NPZ.write(done.columns + [("place", column)], to: $0)
      }
    }
    let decoder = run.configuration.images.decoder
    _ = try pass.run(increment.shards.count, workers: run.workers, progress) { i in
      try pairs(of: increment.shards[i]) { image, caption, hash in
        guard let slot = corpus.slot(of: hash), !corpus.isStored(slot) else { return }
        guard let thumbnails = try? decoder.thumbnails(of: image, forms: forms) else { return }
        try corpus.store(slot, thumbnails: thumbnails.map(\.pixels), caption: caption)
        progress.add(pairs: 1)
      }
    }
    corpus.seal()
    return corpus
  }

  /// - Returns: why the shard couldn't be read to its end, if it couldn't.
  private func pairs(
    of shard: Increment.Shard,
    _ body: (_ image: [UInt8], _ caption: String, _ hash: ContentHash) throws -> Void
  ) throws -> String? {
    try shard.checkUnchanged()
    let reader = try PairReader(shard, in: run)
    while let record = reader.next() {
      try run.cancellation.check()
      guard case .pair(let image, let caption, let hash) = record.outcome else { continue }
      try body(image, caption, hash)
    }
    if let failure = shard.failure(reader.fault, reader.message) { throw failure }
    return reader.fault.map { reader.message ?? $0.rawValue }
  }
}

extension [Int64] {
  /// Three numbers a hash.
  fileprivate var contentHashes: [ContentHash] {
    stride(from: 0, to: count - 2, by: 3).map {
      ContentHash(
        high: UInt64(bitPattern: self[$0]), low: UInt64(bitPattern: self[$0 + 1]),
        image: UInt64(bitPattern: self[$0 + 2]))
    }
  }
}
