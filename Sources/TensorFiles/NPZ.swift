/// Reads and writes numpy's `.npz`: a zip of `.npy` members, one a column.
///
///     try NPZ.write([("score", .float32(scores, shape: [n]))], to: "decisions.npz")
///     // Python: numpy.load("decisions.npz")["score"]
public enum NPZ {
  private static let suffix = ".npy"

  /// Writes `columns` in their order, stored, and syncs the file. The same columns give the same
  /// bytes.
  ///
  /// - Throws: `.unwritable` for a repeated name, a name that is not printable ASCII (other names
  ///   depend on the locale), or a shape that doesn't hold its values; `.io` where the disk refuses.
  public static func write(
    _ columns: [(name: String, array: NPYArray)], to path: String
  ) throws(TensorFileError) {
    var names: Set<String> = []
    for (name, array) in columns {
      guard !name.isEmpty, name.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
        throw .unwritable(file: path, tensor: name, reason: "a column's name is printable ASCII")
      }
      guard names.insert(name).inserted else {
        throw .unwritable(file: path, tensor: name, reason: "the name is taken")
      }
      guard elementCount(array.shape) == array.valueCount else {
        let reason = "shape \(array.shape) does not hold \(array.valueCount) values"
        throw .unwritable(file: path, tensor: name, reason: reason)
      }
    }
    let zip = try ZipWriter(to: DurableFile(creating: path))
    for (name, array) in columns {
      let (header, dataBytes) = NPY.layout(of: array)
      try zip.begin(name: name + suffix, byteCount: header.count + dataBytes)
      try header.withRawBytes { (bytes) throws(TensorFileError) in try zip.write(bytes) }
      try NPY.writeData(of: array) { (bytes) throws(TensorFileError) in try zip.write(bytes) }
    }
    try zip.finish()
  }

  /// Reads every column, stored or deflated, or those that are asked for.
  ///
  /// - Parameters:
  ///   - wanted: names of columns; the others are passed over. One that isn't there is left out.
  ///   - limit: bytes that these columns together may take once unpacked; a few kilobytes of zip can
  ///     claim gigabytes.
  /// - Throws: `.malformed` for a damaged archive or header, `.unsupported` for a column that
  ///   `NPY.decode` doesn't read or an archive beyond `limit`, `.io`.
  public static func read(
    _ path: String, columns wanted: Set<String>? = nil, limit: Int = 8 << 30
  ) throws(TensorFileError) -> [String: NPYArray] {
    let zip = try ZipReader(path)
    var columns: [String: NPYArray] = [:]
    var rest = limit
    while let member = try zip.next() {
      let name =
        member.name.hasSuffix(suffix) ? String(member.name.dropLast(suffix.count)) : member.name
      guard wanted?.contains(name) ?? true else { continue }
      let bytes = try zip.content(of: member, limit: rest)
      rest -= bytes.count
      let array = try NPY.decode(bytes, from: path, tensor: name)
      guard columns.updateValue(array, forKey: name) == nil else {
        throw .malformed(file: path, tensor: name, reason: "the column occurs twice")
      }
    }
    return columns
  }
}
