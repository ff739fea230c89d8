import Foundation

/// Reads single tensors of a `.safetensors` file, so that a large model never lies in memory twice.
public final class SafeTensorsReader {
  /// The file.
  public let path: String
  private let header: SafeTensorsHeader
  private let descriptor: Int32
  /// Bytes read at a time.
  private static let block = 1 << 22

  /// Reads the header.
  ///
  /// - Throws: `.malformed` where the header lies, `.io`.
  public init(_ path: String) throws(TensorFileError) {
    self.path = path
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw systemError(path, "open") }
    do throws(TensorFileError) {
      let length = lseek(descriptor, 0, SEEK_END)
      guard length >= 0 else { throw systemError(path, "read") }
      header = try SafeTensorsHeader(file: path, fileLength: Int(length)) {
        range throws(TensorFileError) in
        try Self.bytes(range, descriptor, path)
      }
    } catch {
      close(descriptor)
      throw error
    }
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  /// Of the tensors, sorted.
  public var names: [String] { header.tensors.keys.sorted() }

  /// Nil where there is no such tensor.
  public func shape(of name: String) -> [Int]? { header.tensors[name]?.shape }

  /// Reads a tensor (F32, F16 or BF16) as Float.
  ///
  /// - Parameter target: room for as many floats as its shape holds.
  /// - Throws: `.malformed` where there is no such tensor, `.unsupported` for other element types, `.io`.
  public func read(
    _ name: String, into target: UnsafeMutablePointer<Float>
  ) throws(TensorFileError) {
    guard let description = header.tensors[name] else {
      throw .malformed(file: path, tensor: name, reason: "there is no such tensor")
    }
    try description.checkReadable(name, file: path)
    let range = header.range(of: description)
    var out = target
    for start in stride(from: range.lowerBound, to: range.upperBound, by: Self.block) {
      let bytes = try Self.bytes(
        start..<min(start + Self.block, range.upperBound), descriptor, path)
      for value in SafeTensors.floats(bytes, description.dtype) {
        out.pointee = value
        out += 1
      }
    }
  }

  private static func bytes(
    _ range: Range<Int>, _ descriptor: Int32, _ path: String
  ) throws(TensorFileError) -> ArraySlice<UInt8> {
    var failed = false
    let result = [UInt8](unsafeUninitializedCapacity: range.count) { buffer, count in
      count = 0
      while count < range.count {
        let got = pread(
          descriptor, buffer.baseAddress.map { $0 + count }, range.count - count,
          off_t(range.lowerBound + count))
        if got < 0 && errno == EINTR { continue }
        failed = got <= 0
        if failed { break }
        count += got
      }
    }
    if failed { throw systemError(path, "read") }
    return result[...]
  }
}
