import CGlibc
import Foundation

/// Owns the descriptor of a file that is written from its start to its end.
final class OutputFile {
  private let path: String
  private var descriptor: Int32
  /// Told the file's bytes, once they are written.
  private let written: (@Sendable (UnsafeRawBufferPointer) -> Void)?
  private var bytesWritten = 0
  /// Bytes that are on the disk, and those that are at least on their way there.
  private var (bytesFinished, bytesStarted) = (0, 0)

  /// - Throws: ``ShardError/cannotCreate(path:reason:)``.
  init(
    path: String, written: (@Sendable (UnsafeRawBufferPointer) -> Void)?
  ) throws(ShardError) {
    descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw .cannotCreate(path: path, reason: systemText(errno)) }
    (self.path, self.written) = (path, written)
  }

  deinit { close() }

  /// - Returns: nil, or what went wrong.
  func write(_ bytes: UnsafeRawBufferPointer) -> ShardError? {
    var rest = bytes[...]
    while !rest.isEmpty {
      let slice = UnsafeRawBufferPointer(rebasing: rest)
      let count = Foundation.write(descriptor, slice.baseAddress, slice.count)
      if count < 0 {
        if errno == EINTR { continue }
        return .cannotWrite(path: path, reason: systemText(errno))
      }
      bytesWritten += count
      rest = rest.dropFirst(count)
    }
    written?(bytes)
    // The sync at the end then waits for two windows at most, and a slow disk has no more of a file in memory.
    guard bytesWritten - bytesStarted >= Int(writeback_window) else { return nil }
    var code = start_writeback(descriptor, bytesStarted, bytesWritten - bytesStarted)
    if code == 0 {
      code = finish_writeback(descriptor, bytesFinished, bytesStarted - bytesFinished)
    }
    (bytesFinished, bytesStarted) = (bytesStarted, bytesWritten)
    return code == 0 ? nil : .cannotWrite(path: path, reason: systemText(code))
  }

  /// Brings it to the disk and closes it; a second time does nothing.
  /// - Returns: nil, or what went wrong.
  func sync() -> ShardError? {
    guard descriptor >= 0 else { return nil }
    defer { descriptor = -1 }
    var code = sync_file(descriptor)
    if Foundation.close(descriptor) != 0, errno != EINTR, code == 0 { code = errno }
    return code == 0 ? nil : .cannotWrite(path: path, reason: systemText(code))
  }

  /// Closes it where that isn't done.
  func close() {
    if descriptor >= 0 { Foundation.close(descriptor) }
    descriptor = -1
  }
}
