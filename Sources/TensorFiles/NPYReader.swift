/// Reads parts of an `.npy` file, so that an array of any size never lies in memory.
///
///     let reader = try NPYReader("probabilities.npy")   // reader.shape == [1_000_000, 100]
///     var rows = [Float](repeating: 0, count: 4096 * 100)
///     try reader.read(from: 0, into: &rows)             // the first 4,096 rows
public final class NPYReader: Sendable {
  /// The type of the numbers in the file, little-endian.
  public enum Element: String, Sendable, CaseIterable {
    case float16 = "<f2"
    case float32 = "<f4"
    case float64 = "<f8"
    case int8 = "|i1"
    case int16 = "<i2"
    case int32 = "<i4"
    case int64 = "<i8"
    case uint8 = "|u1"
    case uint16 = "<u2"
    case uint32 = "<u4"
    case uint64 = "<u8"
    case bool = "|b1"

    var size: Int {
      switch self {
      case .int8, .uint8, .bool: 1
      case .float16, .int16, .uint16: 2
      case .float32, .int32, .uint32: 4
      case .float64, .int64, .uint64: 8
      }
    }

    public var isInteger: Bool { ![.float16, .float32, .float64].contains(self) }
  }

  public let path: String
  /// Extents, outermost first.
  public let shape: [Int]
  public let element: Element
  private let file: PositionedFile
  private let dataStart: Int

  /// Reads the header.
  ///
  /// - Throws: `.malformed` for a header that lies, `.unsupported` for other types and column-major order, `.io`.
  public init(_ path: String) throws(TensorFileError) {
    self.path = path
    file = try PositionedFile(path)
    let head = try file.bytes(0..<min(file.length, Self.longestHeader))
    guard let (header, dataStart) = NPYHeader.decode(head) else {
      throw .malformed(file: path, tensor: nil, reason: "no readable npy header")
    }
    guard let element = Element(rawValue: header.descr) else {
      let reason = "numpy type '\(header.descr)' is not one of \(Self.types)"
      throw .unsupported(file: path, tensor: nil, reason: reason)
    }
    guard let count = elementCount(header.shape), count <= Int.max / 8,
      count * element.size == file.length - dataStart
    else {
      let reason =
        "shape \(header.shape) of '\(header.descr)' does not fill \(file.length - dataStart) bytes"
      throw .malformed(file: path, tensor: nil, reason: reason)
    }
    if header.fortranOrder && header.shape.count(where: { $0 > 1 }) > 1 {
      throw .unsupported(
        file: path, tensor: nil,
        reason: "column-major (Fortran) order; save numpy.ascontiguousarray(array)")
    }
    (shape, self.element, self.dataStart) = (header.shape, element, dataStart)
  }

  /// numpy writes headers of version 1, which end before; a longer one is of no plain array.
  private static let longestHeader = 1 << 17
  private static var types: String { Element.allCases.map(\.rawValue).joined(separator: " ") }

  /// Fills `values` with the elements from number `start` on, in row-major order.
  ///
  /// - Throws: `.io`, `.malformed` for a file that was cut short.
  /// - Precondition: `Value` is the type of `element`, and the file holds as many.
  public func read<Value: BitwiseCopyable>(
    from start: Int, into values: inout [Value]
  ) throws(TensorFileError) {
    precondition(
      MemoryLayout<Value>.stride == element.size, "\(Value.self) for \(element.rawValue)")
    try file.fill(&values, from: dataStart + start * element.size)
  }

  /// Whole numbers of any width, from number `start` on; what is above `Int64.max` is that.
  ///
  /// - Throws: as `read`.
  /// - Precondition: `element.isInteger`, and the file holds as many.
  public func integers(from start: Int, count: Int) throws(TensorFileError) -> [Int64] {
    switch element {
    case .int8: try widened(start, count, Int8.self)
    case .int16: try widened(start, count, Int16.self)
    case .int32: try widened(start, count, Int32.self)
    case .int64: try widened(start, count, Int64.self)
    case .uint8, .bool: try widened(start, count, UInt8.self)
    case .uint16: try widened(start, count, UInt16.self)
    case .uint32: try widened(start, count, UInt32.self)
    case .uint64: try widened(start, count, UInt64.self)
    case .float16, .float32, .float64: preconditionFailure("\(element.rawValue) are no integers")
    }
  }

  private func widened<Value: FixedWidthInteger & BitwiseCopyable>(
    _ start: Int, _ count: Int, _ type: Value.Type
  ) throws(TensorFileError) -> [Int64] {
    var values = [Value](repeating: 0, count: count)
    try read(from: start, into: &values)
    return values as? [Int64] ?? values.map { Int64(clamping: $0) }
  }
}
