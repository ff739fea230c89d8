/// A dense array of Float with its name and its shape, values in row-major order.
public struct NamedTensor: Sendable, Equatable {
  public var name: String
  /// Extents, outermost first; `[]` is a scalar with one value.
  public var shape: [Int]
  /// `shape.reduce(1, *)` values.
  public var values: [Float]

  public init(name: String, shape: [Int], values: [Float]) {
    self.name = name
    self.shape = shape
    self.values = values
  }
}

/// The number of elements of `shape`, or nil where an extent is negative or the product overflows.
func elementCount(_ shape: [Int]) -> Int? {
  var count = 1
  for extent in shape {
    let (product, overflow) = count.multipliedReportingOverflow(by: extent)
    if extent < 0 || overflow { return nil }
    count = product
  }
  return count
}
