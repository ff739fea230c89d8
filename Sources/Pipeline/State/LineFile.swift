import CGlibc
import Foundation

/// Reads a text file line by line, so that a large one takes no memory.
final class LineReader {
  private let path: String
  private let file: UnsafeMutablePointer<FILE>
  private var line: UnsafeMutablePointer<CChar>?
  private var capacity = 0

  /// - Throws: `RunError.missing`, with the remedy, or `.file`.
  init(_ path: String, remedy: String) throws(RunError) {
    guard let file = fopen(path, "re") else {
      throw StateJSON.unreadable(path, errno, remedy: remedy)
    }
    (self.path, self.file) = (path, file)
  }

  deinit {
    free(line)
    fclose(file)
  }

  /// The next line without its end; nil after the last one.
  /// - Throws: `RunError.file`.
  func next() throws(RunError) -> Data? {
    errno = 0
    let count = getline(&line, &capacity, file)
    let code = errno
    // Where the disk fails within a line, its beginning is given out as one.
    if ferror(file) != 0 || count < 0 && feof(file) == 0 {
      throw .file(path: path, operation: "read", code: code == 0 ? EIO : code)
    }
    guard count > 0, let line else { return nil }
    let bytes = UnsafeRawBufferPointer(start: line, count: count)
    return Data(bytes.last == UInt8(ascii: "\n") ? bytes.dropLast() : bytes[...])
  }
}

/// Writes a text file piece by piece.
struct LineWriter {
  private let name: String
  private let file: FileHandle
  private var waiting = Data()

  /// Makes the file anew.
  /// - Parameter name: the path that errors name.
  /// - Throws: `RunError.file`, as all that follows.
  init(_ path: String, for name: String) throws(RunError) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw .file(path: name, operation: "write", code: errno) }
    self.name = name
    file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
  }

  mutating func write(_ text: some Sequence<UInt8>) throws(RunError) {
    waiting.append(contentsOf: text)
    if waiting.count > 1 << 16 { try flush() }
  }

  mutating func write(_ text: String) throws(RunError) { try write(text.utf8) }

  /// Brings it to the disk.
  mutating func close() throws(RunError) {
    try flush()
    let code = sync_file(file.fileDescriptor)
    guard code == 0 else { throw .file(path: name, operation: "write", code: code) }
    do {
      try file.close()
    } catch {
      throw failure(error)
    }
  }

  private mutating func flush() throws(RunError) {
    do { try file.write(contentsOf: waiting) } catch { throw failure(error) }
    waiting.removeAll(keepingCapacity: true)
  }

  private func failure(_ error: any Error) -> RunError {
    .file(path: name, operation: "write", code: systemCode(of: error))
  }
}
