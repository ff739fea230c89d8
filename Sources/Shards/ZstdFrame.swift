import CZstd

/// Owns zstd's compressor: one frame with a checksum.
final class ZstdFrame {
  /// What it is best given room for at a time.
  static let blockBytes = ZSTD_CStreamOutSize()

  private let path: String
  private let stream: OpaquePointer

  /// - Throws: ``ShardError/cannotCreate(path:reason:)``.
  init(level: Int32, path: String) throws(ShardError) {
    // The library would take the nearest level that it has, and say nothing.
    guard (ZSTD_minCLevel()...ZSTD_maxCLevel()).contains(level) else {
      let levels = "\(ZSTD_minCLevel()) to \(ZSTD_maxCLevel())"
      throw .cannotCreate(path: path, reason: "zstd has levels \(levels), and no \(level)")
    }
    // The size is not pledged and no worker threads are used, since either would change the bytes.
    let stream = create_mapped_compressor()
    guard let stream else {
      throw .cannotCreate(path: path, reason: "the system refuses memory for zstd")
    }
    guard ZSTD_isError(ZSTD_CCtx_setParameter(stream, ZSTD_c_compressionLevel, level)) == 0,
      ZSTD_isError(ZSTD_CCtx_setParameter(stream, ZSTD_c_checksumFlag, 1)) == 0
    else {
      ZSTD_freeCCtx(stream)
      throw .cannotCreate(path: path, reason: "zstd refuses compression level \(level)")
    }
    (self.path, self.stream) = (path, stream)
  }

  deinit { ZSTD_freeCCtx(stream) }

  /// Compresses the next bytes.
  /// - Returns: nil, or what went wrong, of the queue too.
  func add(_ bytes: UnsafeRawBufferPointer, to queue: BlockQueue) -> ShardError? {
    step(bytes, ZSTD_e_continue, to: queue)
  }

  /// Ends the frame.
  /// - Returns: as ``add(_:to:)``.
  func end(to queue: BlockQueue) -> ShardError? {
    step(UnsafeRawBufferPointer(start: nil, count: 0), ZSTD_e_end, to: queue)
  }

  private func step(
    _ bytes: UnsafeRawBufferPointer, _ mode: ZSTD_EndDirective, to queue: BlockQueue
  ) -> ShardError? {
    var input = ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: 0)
    while true {
      var left = 0
      let isTaken = queue.fill { block in
        var output = ZSTD_outBuffer(dst: block.baseAddress, size: block.count, pos: 0)
        left = ZSTD_compressStream2(stream, &output, &input, mode)
        return output.pos
      }
      guard isTaken else {
        return queue.failure ?? .cannotWrite(path: path, reason: "its queue is closed")
      }
      guard ZSTD_isError(left) == 0 else {
        let reason = String(cString: ZSTD_getErrorName(left))
        return .cannotWrite(path: path, reason: "zstd: \(reason)")
      }
      if mode == ZSTD_e_end ? left == 0 : input.pos == input.size { return nil }
    }
  }
}
