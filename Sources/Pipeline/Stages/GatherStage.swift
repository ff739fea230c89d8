import Encoders
import Foundation
import Images
import TensorFiles

/// Stage "gather": the pairs of lowest content hash become a training corpus, their images decoded to thumbnails. It lies
/// in the training's folder, with how far it is.
struct GatherStage {
  typealias Fault = (path: String, message: String)

  /// What tells the pairs from others.
  private struct Selection: Encodable {
    /// Of the shards.
    var digest: String
    var limit: Int?
    var hashes: [ContentHash]?
    var forms: [ThumbnailForm]
  }

  /// How often it is kept how far it is. Not longer: a stop waits for what is written since to reach the disk.
  static let keptEvery = Duration.seconds(5)

  private let increment: Increment
  private let forms: [ThumbnailForm]
  private let run: RunContext
  private let interval: Duration
  private let folder: String

  /// - Parameters:
  ///   - limit: pairs at most.
  ///   - forms: of the thumbnails.
  ///   - interval: between two times that it is kept how far it is.
  /// - Returns: the corpus, and the shards that couldn't be read to their end.
  static func run(
    _ increment: Increment, limit: Int, forms: [ThumbnailForm], to folder: TrainingFolder,
    in run: RunContext, interval: Duration = keptEvery
  ) throws -> (corpus: ThumbnailCache, faults: [Fault]) {
    try run.stage(.gather) {
      let stage = try GatherStage(
        increment, Selection(digest: increment.digest, limit: limit, forms: forms), folder,
        interval, in: run)
      let progress = ProgressCounter(
        .gather, total: 2 * increment.shards.count, observe: run.observe)
      let (hashes, faults) = try stage.select(limit: limit, progress)
      return (try stage.fill(hashes, progress), faults)
    }
  }

  /// - Parameter hashes: of the pairs, ascending.
  /// - Returns: those of them that there are, as a corpus.
  static func run(
    _ increment: Increment, hashes: [ContentHash], forms: [ThumbnailForm],
    to folder: TrainingFolder, in run: RunContext
  ) throws -> ThumbnailCache {
    try run.stage(.gather) {
      let stage = try GatherStage(
        increment, Selection(digest: increment.digest, hashes: hashes, forms: forms), folder,
        keptEvery, in: run)
      let progress = ProgressCounter(.gather, total: increment.shards.count, observe: run.observe)
      return try stage.fill(hashes, progress)
    }
  }

  private init(
    _ increment: Increment, _ selection: Selection, _ folder: TrainingFolder,
    _ interval: Duration, in run: RunContext
  ) throws {
    self.increment = increment
    self.interval = interval
    self.run = run
    forms = selection.forms
    let key = Digest.of([UInt8](try StateJSON.encode(selection)))
    self.folder = "\(folder.path)/pairs-\(key.prefix(16))"
    try run.directory.makeFolder(self.folder)
  }

  private func earlier(_ file: String) throws(RunError) -> NPZColumns? {
    FileManager.default.fileExists(atPath: file) ? try NPZColumns(path: file) : nil
  }

  private func pass(
    keptIn file: String, after earlier: NPZColumns?, _ column: String,
    _ values: @escaping @Sendable () throws -> [Int64]
  ) throws -> ShardPass {
    try ShardPass(
      of: increment.shards.count, keptIn: file, after: earlier, interval: interval, in: run
    ) {
      let values = try values()
      return [(column, .int64(values, shape: [values.count]))]
    }
  }

  /// One pass that only hashes.
  private func select(
    limit: Int, _ progress: ProgressCounter
  ) throws -> ([ContentHash], [Fault]) {
    let file = "\(folder)/selected.npz"
    let earlier = try earlier(file)
    let selection = HashSelection(limit: limit)
    if let earlier { selection.offer(try earlier.integers("hash").contentHashes) }
    let pass = try pass(keptIn: file, after: earlier, "hash") {
      selection.selected.flatMap { [$0.high, $0.low, $0.image].map(Int64.init(bitPattern:)) }
    }
    let faults = try pass.go(progress) { i in
      var hashes: [ContentHash] = []
      // What is offered is kept, so it must be of the shard that was pinned.
      func offer() throws {
        try increment.shards[i].checkUnchanged()
        selection.offer(hashes)
        hashes.removeAll(keepingCapacity: true)
      }
      let fault = try pairs(of: increment.shards[i]) { _, _, hash in
        hashes.append(hash)
        if hashes.count == 4096 { try offer() }
      }
      try offer()
      return fault
    }
    return (selection.selected, faults.map { (increment.shards[$0.shard].path, $0.fault) })
  }

  /// A pass that decodes what was selected.
  private func fill(
    _ hashes: [ContentHash], _ progress: ProgressCounter
  ) throws -> ThumbnailCache {
    let file = "\(folder)/stored.npz"
    let earlier = try earlier(file)
    let corpus = try ThumbnailCache(
      hashes: hashes, forms: forms, directory: folder, places: try earlier?.integers("place"))
    let pass = try pass(keptIn: file, after: earlier, "place") {
      let places = corpus.places
      try corpus.flush()
      return places
    }
    let decoder = run.configuration.images.decoder
    _ = try pass.go(progress) { i in
      try pairs(of: increment.shards[i]) { image, caption, hash in
        guard let slot = corpus.slot(of: hash), !corpus.isTaken(slot) else { return }
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
    try shard.checkUnchanged()
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
