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
///
/// An array without elements has no bytes to show for its other extents: they may make 2^31 together, so that whoever
/// multiplies them further doesn't overflow.
func elementCount(_ shape: [Int]) -> Int? {
  var count = 1
  var isEmpty = false
  for extent in shape where extent != 1 {
    if extent == 0 {
      isEmpty = true
      continue
    }
    let (product, overflow) = count.multipliedReportingOverflow(by: extent)
    if extent < 0 || overflow { return nil }
    count = product
  }
  if isEmpty { return count <= 1 << 31 ? 0 : nil }
  return count
}
