import Foundation

/// Reads a text file line by line, so that a large one takes no memory.
final class LineReader {
  private let file: UnsafeMutablePointer<FILE>
  private var line: UnsafeMutablePointer<CChar>?
  private var capacity = 0

  /// - Throws: `RunError.missing`, with the remedy, or `.file`.
  init(_ path: String, remedy: String) throws(RunError) {
    guard let file = fopen(path, "re") else {
      throw StateJSON.unreadable(path, errno, remedy: remedy)
    }
    self.file = file
  }

  deinit {
    free(line)
    fclose(file)
  }

  /// The next line without its end; nil after the last one.
  func next() -> Data? {
    let count = getline(&line, &capacity, file)
    guard count > 0, let line else { return nil }
    let bytes = UnsafeRawBufferPointer(start: line, count: count)
    return Data(bytes.last == UInt8(ascii: "\n") ? bytes.dropLast() : bytes[...])
  }
}

/// Writes a text file piece by piece.
struct LineWriter {
  private let file: FileHandle
  private var waiting = Data()

  /// Makes the file anew.
  init(_ path: String) throws {
    let url = URL(fileURLWithPath: path)
    try Data().write(to: url)
    file = try FileHandle(forWritingTo: url)
  }

  mutating func write(_ text: some Sequence<UInt8>) throws {
    waiting.append(contentsOf: text)
    guard waiting.count > 1 << 16 else { return }
    try file.write(contentsOf: waiting)
    waiting.removeAll(keepingCapacity: true)
  }

  mutating func write(_ text: String) throws { try write(text.utf8) }

  consuming func close() throws {
    try file.write(contentsOf: waiting)
    try file.close()
  }
}
