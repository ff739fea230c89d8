import CGlibc
import CZstd
import Foundation

/// The file below a ``ShardWriter``, on the far side of its queue: owns the descriptor and the zstd stream, and keeps the
/// first error, because what libarchive hands back through a callback is only "failed".
final class ShardFile {
  private let path: String
  private var descriptor: Int32
  private let stream: OpaquePointer?
  private let buffer: UnsafeMutableRawBufferPointer
  /// Told the file's bytes, once they are written.
  private let written: (@Sendable (UnsafeRawBufferPointer) -> Void)?
  private(set) var failure: ShardError?
  private(set) var bytesWritten = 0
  /// Bytes that are on their way to the disk.
  private var bytesStarted = 0

  init(
    path: String, compression: ShardCompression,
    written: (@Sendable (UnsafeRawBufferPointer) -> Void)? = nil
  ) throws(ShardError) {
    self.path = path
    self.written = written
    var stream: OpaquePointer?
    if case .zstd(let level) = compression {
      // The library would take the nearest level that it has, and say nothing.
      guard (ZSTD_minCLevel()...ZSTD_maxCLevel()).contains(level) else {
        let levels = "\(ZSTD_minCLevel()) to \(ZSTD_maxCLevel())"
        throw .cannotCreate(path: path, reason: "zstd has levels \(levels), and no \(level)")
      }
      stream = ZSTD_createCCtx()
      // One frame with a checksum; the size is not pledged and no worker threads are used, since
      // either would change the bytes.
      guard let stream,
        ZSTD_isError(ZSTD_CCtx_setParameter(stream, ZSTD_c_compressionLevel, level)) == 0,
        ZSTD_isError(ZSTD_CCtx_setParameter(stream, ZSTD_c_checksumFlag, 1)) == 0
      else {
        ZSTD_freeCCtx(stream)
        throw .cannotCreate(path: path, reason: "zstd refuses compression level \(level)")
      }
    }
    descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      let reason = systemText(errno)
      ZSTD_freeCCtx(stream)
      throw .cannotCreate(path: path, reason: reason)
    }
    self.stream = stream
    buffer = .allocate(
      byteCount: stream == nil ? 0 : ZSTD_CStreamOutSize(), alignment: blockAlignment)
  }

  deinit {
    ZSTD_freeCCtx(stream)
    buffer.deallocate()
    if descriptor >= 0 { close(descriptor) }
  }

  /// Takes the next bytes of the tar. False after an error, which is then in `failure`.
  func write(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard failure == nil else { return false }
    return stream == nil ? writeOut(bytes) : compress(bytes, ZSTD_e_continue)
  }

  /// Ends the zstd frame, syncs and closes the file.
  func finish() throws(ShardError) {
    if failure == nil, stream != nil {
      _ = compress(UnsafeRawBufferPointer(start: nil, count: 0), ZSTD_e_end)
    }
    // A pipe or a terminal cannot be synced, and says so with EINVAL.
    if failure == nil, fsync(descriptor) != 0, errno != EINVAL { fail(systemText(errno)) }
    if descriptor >= 0, close(descriptor) != 0, errno != EINTR { fail(systemText(errno)) }
    descriptor = -1
    if let failure { throw failure }
  }

  private func compress(_ bytes: UnsafeRawBufferPointer, _ mode: ZSTD_EndDirective) -> Bool {
    var input = ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: 0)
    while true {
      var output = ZSTD_outBuffer(dst: buffer.baseAddress, size: buffer.count, pos: 0)
      let left = ZSTD_compressStream2(stream, &output, &input, mode)
      guard ZSTD_isError(left) == 0 else {
        return fail("zstd: " + String(cString: ZSTD_getErrorName(left)))
      }
      guard writeOut(UnsafeRawBufferPointer(rebasing: buffer[..<output.pos])) else { return false }
      if mode == ZSTD_e_end ? left == 0 : input.pos == input.size { return true }
    }
  }

  private func writeOut(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var rest = bytes[...]
    while !rest.isEmpty {
      let slice = UnsafeRawBufferPointer(rebasing: rest)
      let count = Foundation.write(descriptor, slice.baseAddress, slice.count)
      if count < 0 {
        if errno == EINTR { continue }
        return fail(systemText(errno))
      }
      bytesWritten += count
      rest = rest.dropFirst(count)
    }
    written?(bytes)
    // The sync at the end, which nobody can stop, then waits for little.
    if bytesWritten - bytesStarted >= 8 << 20 {
      start_writeback(descriptor, bytesStarted, bytesWritten - bytesStarted)
      bytesStarted = bytesWritten
    }
    return true
  }

  @discardableResult
  func fail(_ reason: String) -> Bool {
    if failure == nil { failure = .cannotWrite(path: path, reason: reason) }
    return false
  }
}
