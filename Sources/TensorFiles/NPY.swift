/// Encodes and decodes numpy's `.npy` format (numpy.lib.format).
public enum NPY {
  /// The array as an `.npy` file of format 1.0.
  ///
  /// - Precondition: the shape holds exactly the values.
  public static func encode(_ array: NPYArray) -> [UInt8] {
    precondition(
      elementCount(array.shape) == array.valueCount,
      "shape \(array.shape) does not hold \(array.valueCount) values")
    var bytes = header(of: array).encoded
    writeData(of: array) { bytes += $0 }
    return bytes
  }

  /// Reads an `.npy` file.
  ///
  /// - Throws: as `decode`, and `.io`.
  public static func read(_ path: String) throws(TensorFileError) -> NPYArray {
    try decode(try readFile(path), from: path)
  }

  /// Decodes an `.npy` file. `<f2` is widened to Float.
  ///
  /// - Parameter source: the file and `tensor` the column that errors name.
  /// - Throws: `.malformed` for a damaged or lying header, `.unsupported` for other element types,
  ///   column-major matrices, and byte strings or booleans with more than one axis.
  public static func decode(
    _ bytes: [UInt8], from source: String = "npy", tensor: String? = nil
  ) throws(TensorFileError) -> NPYArray {
    guard let (header, dataStart) = NPYHeader.decode(bytes) else {
      throw .malformed(file: source, tensor: tensor, reason: "no readable npy header")
    }
    guard let size = elementSize(header.descr) else {
      let reason = "numpy type '\(header.descr)' is not one of <f4 <f8 <f2 <i8 |u1 |b1 |S"
      throw .unsupported(file: source, tensor: tensor, reason: reason)
    }
    let data = bytes[dataStart...]
    guard let count = elementCount(header.shape), data.count.isMultiple(of: size),
      data.count / size == count
    else {
      let reason = "shape \(header.shape) of '\(header.descr)' does not fill \(data.count) bytes"
      throw .malformed(file: source, tensor: tensor, reason: reason)
    }
    if header.fortranOrder && header.shape.count > 1 {
      throw .unsupported(file: source, tensor: tensor, reason: "column-major (Fortran) order")
    }
    switch header.descr {
    case "<f4": return .float32(unpack(data, count: count), shape: header.shape)
    case "<f8": return .float64(unpack(data, count: count), shape: header.shape)
    case "<f2": return .float32(float16(unpack(data, count: count)), shape: header.shape)
    case "<i8": return .int64(unpack(data, count: count), shape: header.shape)
    case "|u1": return .uint8(Array(data), shape: header.shape)
    default: break
    }
    guard header.shape.count == 1 else {
      let reason = "'\(header.descr)' with \(header.shape.count) axes instead of one"
      throw .unsupported(file: source, tensor: tensor, reason: reason)
    }
    return header.descr == "|b1" ? .bool(data.map { $0 != 0 }) : .bytes(strings(data, width: size))
  }

  private static func elementSize(_ descr: String) -> Int? {
    switch descr {
    case "<f4": return 4
    case "<f2": return 2
    case "<f8", "<i8": return 8
    case "|u1", "|b1": return 1
    default:
      // A width of 0 would let a short file claim any number of elements.
      guard descr.hasPrefix("|S"), let width = Int(descr.dropFirst(2)), width > 0 else {
        return nil
      }
      return width
    }
  }

  /// What stands before the array's data, and how many bytes that has.
  static func layout(of array: NPYArray) -> (header: [UInt8], dataBytes: Int) {
    let header = header(of: array)
    return (header.encoded, array.valueCount * (elementSize(header.descr) ?? 0))
  }

  private static func header(of array: NPYArray) -> NPYHeader {
    let descr =
      switch array {
      case .float32: "<f4"
      case .float64: "<f8"
      case .int64: "<i8"
      case .uint8: "|u1"
      case .bool: "|b1"
      case .bytes(let values): "|S\(width(of: values))"
      }
    return NPYHeader(descr: descr, fortranOrder: false, shape: array.shape)
  }

  private static func width(of values: ByteStrings) -> Int {
    max(1, values.longest)
  }

  /// Hands the array's data on in pieces: one long string among a million would fill gigabytes with NULs.
  static func writeData<Failure: Error>(
    of array: NPYArray, to take: (UnsafeRawBufferPointer) throws(Failure) -> Void
  ) throws(Failure) {
    switch array {
    case .float32(let values, _): try values.withRawBytes(take)
    case .float64(let values, _): try values.withRawBytes(take)
    case .int64(let values, _): try values.withRawBytes(take)
    case .uint8(let values, _): try values.withRawBytes(take)
    case .bool(let values): try values.map { $0 ? 1 : 0 as UInt8 }.withRawBytes(take)
    case .bytes(let values):
      let width = width(of: values)
      var piece: [UInt8] = []
      for value in values {
        piece += value
        piece.append(contentsOf: repeatElement(0, count: width - value.count))
        if piece.count >= 1 << 16 {
          try piece.withRawBytes(take)
          piece.removeAll(keepingCapacity: true)
        }
      }
      try piece.withRawBytes(take)
    }
  }

  private static func strings(_ data: ArraySlice<UInt8>, width: Int) -> ByteStrings {
    ByteStrings(
      (0..<data.count / width).lazy.map { i in
        let start = data.startIndex + i * width
        let field = data[start..<start + width]
        return field.prefix((field.lastIndex { $0 != 0 } ?? start - 1) - start + 1)
      })
  }
}
