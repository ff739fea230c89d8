/// The arrays that Winnow stores in `.npy` and `.npz` files, values in row-major (C) order.
public enum NPYArray: Sendable, Equatable {
  case float32([Float], shape: [Int])
  case float64([Double], shape: [Int])
  case int64([Int64], shape: [Int])
  case uint8([UInt8], shape: [Int])
  /// One axis.
  case bool([Bool])
  /// One axis of byte strings, numpy's `S`. The width is that of the longest; numpy strips trailing
  /// NULs when it reads, and so does `NPY.decode`.
  case bytes(ByteStrings)

  /// Extents, outermost first.
  public var shape: [Int] {
    switch self {
    case .float32(_, let shape), .float64(_, let shape), .int64(_, let shape), .uint8(_, let shape):
      shape
    case .bool(let values): [values.count]
    case .bytes(let values): [values.count]
    }
  }

  var valueCount: Int {
    switch self {
    case .float32(let values, _): values.count
    case .float64(let values, _): values.count
    case .int64(let values, _): values.count
    case .uint8(let values, _): values.count
    case .bool(let values): values.count
    case .bytes(let values): values.count
    }
  }
}
