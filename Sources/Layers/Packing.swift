/// Where the items of a packed tensor lie: the rows of one item after those of another, `[rows, columns]`, without
/// padding.
public struct Packing: Sendable, Equatable {
  /// The rows of each item.
  public let lengths: [Int]
  /// The first row of each item.
  public let starts: [Int]
  /// Of all items together.
  public let rows: Int
  /// The most rows of an item.
  public let longest: Int

  public init(lengths: [Int]) {
    self.lengths = lengths
    var starts: [Int] = []
    starts.reserveCapacity(lengths.count)
    var rows = 0
    for length in lengths {
      starts.append(rows)
      rows += length
    }
    self.starts = starts
    self.rows = rows
    longest = lengths.max() ?? 0
  }

  /// `items` items of equal length.
  public init(items: Int, of length: Int) {
    self.init(lengths: [Int](repeating: length, count: items))
  }

  /// How many items there are.
  public var items: Int { lengths.count }
}
