import Foundation

/// Owns a file descriptor for reading anywhere in a file. Read, not mapped: a mapped file that shrinks ends the process.
struct PositionedFile: ~Copyable {
  let path: String
  /// Bytes, when it was opened.
  let length: Int
  private let descriptor: Int32

  init(_ path: String) throws(TensorFileError) {
    self.path = path
    descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      length = 0
      throw systemError(path, "open")
    }
    length = Int(lseek(descriptor, 0, SEEK_END))
    if length < 0 { throw systemError(path, "read") }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Fills `buffer` with what begins at byte `start`; a file that ends before is an error.
  func read(into buffer: UnsafeMutableRawBufferPointer, from start: Int) throws(TensorFileError) {
    var done = 0
    while done < buffer.count {
      let got = pread(
        descriptor, buffer.baseAddress.map { $0 + done }, buffer.count - done, off_t(start + done))
      if got < 0 && errno == EINTR { continue }
      if got < 0 { throw systemError(path, "read") }
      if got == 0 {
        throw .malformed(file: path, tensor: nil, reason: "it was cut short while it was read")
      }
      done += got
    }
  }

  func bytes(_ range: Range<Int>) throws(TensorFileError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: range.count)
    try fill(&bytes, from: range.lowerBound)
    return bytes
  }

  /// Overwrites `values` with what begins at byte `start`.
  func fill<Value: BitwiseCopyable>(
    _ values: inout [Value], from start: Int
  ) throws(TensorFileError) {
    let result = values.withUnsafeMutableBytes { buffer in
      Result { () throws(TensorFileError) in try read(into: buffer, from: start) }
    }
    try result.get()
  }
}
