import CGlibc
import Foundation

/// Owns a file descriptor for writing. A file that was `finish`ed is on the disk, not in a cache.
struct DurableFile: ~Copyable {
  let path: String
  let descriptor: Int32

  /// Creates or truncates `path` (mode 0644 under the umask).
  init(creating path: String) throws(TensorFileError) {
    self.path = path
    descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    if descriptor < 0 { throw systemError(path, "create") }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  func write(_ bytes: UnsafeRawBufferPointer) throws(TensorFileError) {
    var rest = bytes
    while !rest.isEmpty {
      let written = Foundation.write(descriptor, rest.baseAddress, rest.count)
      if written < 0 && errno == EINTR { continue }
      if written <= 0 { throw systemError(path, "write") }
      rest = UnsafeRawBufferPointer(rebasing: rest[written...])
    }
  }

  func write<Value: BitwiseCopyable>(_ values: [Value]) throws(TensorFileError) {
    try values.withRawBytes { (bytes) throws(TensorFileError) in try write(bytes) }
  }

  /// Writes over the file's beginning.
  func rewrite(_ bytes: [UInt8]) throws(TensorFileError) {
    guard lseek(descriptor, 0, SEEK_SET) == 0 else { throw systemError(path, "write") }
    try write(bytes)
  }

  func finish() throws(TensorFileError) {
    let code = sync_file(descriptor)
    if code != 0 { throw systemError(path, "sync", code) }
  }
}

/// All bytes of `path`, read and not mapped: a mapped file that shrinks ends the process.
func readFile(_ path: String) throws(TensorFileError) -> [UInt8] {
  do {
    return [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
  } catch {
    throw .io(file: path, action: "read", reason: "\(error.localizedDescription)")
  }
}

func systemError(
  _ path: String, _ action: String, _ code: Int32 = errno
) -> TensorFileError {
  .io(file: path, action: action, reason: String(cString: strerror(code)))
}

extension Array where Element: BitwiseCopyable {
  /// `withUnsafeBytes` for a body that throws an error of its own type, which that one can't pass on.
  func withRawBytes<Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
  ) throws(Failure) {
    let failure = withUnsafeBytes { bytes -> Failure? in
      do throws(Failure) {
        try body(bytes)
        return nil
      } catch { return error }
    }
    if let failure { throw failure }
  }
}
