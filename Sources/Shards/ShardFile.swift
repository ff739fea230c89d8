/// The file below a ``ShardWriter``, which is fed with the tar's bytes from one thread, compressed by another and written
/// by a third: compressing takes longer than the rest, so a shard is done sooner where it goes on beside the rest.
///
/// It keeps the first error, because what libarchive hands back through a callback is only "failed". An error shows at a
/// later call than the one that caused it, at the latest in ``finish()`` and ``sync()``.
final class ShardFile {
  private let path: String
  private let file: OutputFile
  /// Nil once finished.
  private var queues: Queues?
  /// What ended it, once finished.
  private var ending: ShardError?

  private struct Queues {
    /// Of the tar.
    var blocks: BlockQueue
    /// What compresses it, and what is compressed and not yet written.
    var frame: (compressor: ZstdFrame, blocks: BlockQueue)?

    var failure: ShardError? { blocks.failure ?? frame?.blocks.failure }

    func fail(_ failure: ShardError) {
      blocks.fail(failure)
      frame?.blocks.fail(failure)
    }

    /// - Parameter endsFrame: else it stays without its end.
    func close(endsFrame: Bool) {
      blocks.close()
      guard let frame else { return }
      if endsFrame, failure == nil, let reason = frame.compressor.end(to: frame.blocks) {
        fail(reason)
      }
      frame.blocks.close()
    }
  }

  /// - Parameter stackBytes: of each thread's stack.
  /// - Throws: ``ShardError/cannotCreate(path:reason:)``.
  init(
    path: String, compression: ShardCompression,
    written: (@Sendable (UnsafeRawBufferPointer) -> Void)? = nil, stackBytes: Int = 8 << 20
  ) throws(ShardError) {
    self.path = path
    let tarBytes = TarWriteHandle.blockBytes
    switch compression {
    case .none:
      let file = try OutputFile(path: path, written: written)
      self.file = file
      let blocks = try BlockQueue(
        path: path, depth: 8, blockBytes: tarBytes, stackBytes: stackBytes, take: file.write)
      queues = Queues(blocks: blocks)
    case .zstd(let level):
      let compressor = try ZstdFrame(level: level, path: path)
      let file = try OutputFile(path: path, written: written)
      self.file = file
      let compressed = try BlockQueue(
        path: path, depth: 8, blockBytes: ZstdFrame.blockBytes, stackBytes: stackBytes,
        take: file.write)
      let blocks = try BlockQueue(
        path: path, depth: 8, blockBytes: tarBytes, stackBytes: stackBytes
      ) { compressor.add($0, to: compressed) }
      queues = Queues(blocks: blocks, frame: (compressor, compressed))
    }
  }

  deinit {
    queues?.close(endsFrame: false)
    // A thread that is about to end may hold the file a moment longer.
    file.close()
  }

  /// The first error known so far.
  var failure: ShardError? { queues.map(\.failure) ?? ending }

  /// Takes a copy of the next bytes of the tar. False once finished, and after an error, which is then in `failure`.
  func write(_ bytes: UnsafeRawBufferPointer) -> Bool { queues?.blocks.put(bytes) ?? false }

  /// Notes an error of the caller's, unless there was one before.
  func fail(_ reason: String) {
    let failure = ShardError.cannotWrite(path: path, reason: reason)
    if let queues { queues.fail(failure) } else { ending = ending ?? failure }
  }

  /// Waits for what was handed over and ends the zstd frame. Gives back the memory that this took.
  func finish() throws(ShardError) {
    queues?.close(endsFrame: true)
    ending = failure
    queues = nil
    if let ending { throw ending }
  }

  /// Brings the finished file to the disk and closes it.
  func sync() throws(ShardError) {
    if ending == nil { ending = file.sync() }
    if let ending { throw ending }
  }
}
