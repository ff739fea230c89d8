/// Reads single tensors of a `.safetensors` file, so that a large model never lies in memory twice.
public final class SafeTensorsReader {
  /// The file.
  public let path: String
  private let header: SafeTensorsHeader
  private let file: PositionedFile
  /// Bytes read at a time.
  private static let block = 1 << 22

  /// Reads the header.
  ///
  /// - Throws: `.malformed` where the header lies, `.io`.
  public init(_ path: String) throws(TensorFileError) {
    self.path = path
    file = try PositionedFile(path)
    header = try Self.header(of: file)
  }

  private static func header(of file: borrowing PositionedFile) throws(TensorFileError)
    -> SafeTensorsHeader
  {
    try SafeTensorsHeader(file: file.path, fileLength: file.length) {
      range throws(TensorFileError) in
      try file.bytes(range)[...]
    }
  }

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
      let bytes = try file.bytes(start..<min(start + Self.block, range.upperBound))
      for value in SafeTensors.floats(bytes[...], description.dtype) {
        out.pointee = value
        out += 1
      }
    }
  }
}
