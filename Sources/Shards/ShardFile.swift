/// The file below a ``ShardWriter``, which is fed with the tar's bytes from one thread, compressed by another and written
/// by a third: compressing takes longer than the rest, so a shard is done sooner where it goes on beside the rest.
///
/// It keeps the first error, because what libarchive hands back through a callback is only "failed". An error shows at a
/// later call than the one that caused it, at the latest in ``finish()``.
final class ShardFile {
  private let path: String
  private let file: OutputFile
  /// Of the tar.
  private let blocks: BlockQueue
  /// What compresses it, and what is compressed and not yet written.
  private let frame: (compressor: ZstdFrame, blocks: BlockQueue)?

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
      frame = nil
      blocks = try BlockQueue(
        path: path, depth: 12, blockBytes: tarBytes, stackBytes: stackBytes, take: file.write)
    case .zstd(let level):
      let compressor = try ZstdFrame(level: level, path: path)
      let file = try OutputFile(path: path, written: written)
      self.file = file
      let compressed = try BlockQueue(
        path: path, depth: 8, blockBytes: ZstdFrame.blockBytes, stackBytes: stackBytes,
        take: file.write)
      frame = (compressor, compressed)
      blocks = try BlockQueue(
        path: path, depth: 12, blockBytes: tarBytes, stackBytes: stackBytes
      ) { compressor.add($0, to: compressed) }
    }
  }

  deinit {
    blocks.close()
    frame?.blocks.close()
    _ = file.close()
  }

  /// The first error known so far.
  var failure: ShardError? { blocks.failure ?? frame?.blocks.failure }

  /// Takes a copy of the next bytes of the tar. False after an error, which is then in `failure`.
  func write(_ bytes: UnsafeRawBufferPointer) -> Bool { blocks.put(bytes) }

  /// Notes an error of the caller's, unless there was one before.
  func fail(_ reason: String) { fail(.cannotWrite(path: path, reason: reason)) }

  private func fail(_ failure: ShardError) {
    blocks.fail(failure)
    frame?.blocks.fail(failure)
  }

  /// Waits for what was handed over, ends the zstd frame and closes the file.
  func finish() throws(ShardError) {
    blocks.close()
    if let frame {
      if failure == nil, let reason = frame.compressor.end(to: frame.blocks) { fail(reason) }
      frame.blocks.close()
    }
    if let reason = file.close() { fail(reason) }
    if let failure { throw failure }
  }
}
