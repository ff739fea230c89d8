/// Byte strings that lie end to end in one block of memory, where an array of arrays would be a block each.
public struct ByteStrings: RandomAccessCollection, Sendable, Equatable, ExpressibleByArrayLiteral {
  private var bytes: [UInt8] = []
  /// Where each ends.
  private var ends: [Int] = []

  public init() {}

  /// Takes the memory that they need and no more: `strings` is gone through twice.
  public init(_ strings: some Collection<some Collection<UInt8>>) {
    bytes.reserveCapacity(strings.reduce(0) { $0 + $1.count })
    ends.reserveCapacity(strings.count)
    for string in strings { append(string) }
  }

  public init(arrayLiteral strings: [UInt8]...) { self.init(strings) }

  public var startIndex: Int { 0 }
  public var endIndex: Int { ends.count }

  /// Bytes of the longest; 0 where there is none.
  var longest: Int { zip(ends, [0] + ends).reduce(0) { Swift.max($0, $1.0 - $1.1) } }

  public subscript(position: Int) -> [UInt8] {
    Array(bytes[(position == 0 ? 0 : ends[position - 1])..<ends[position]])
  }

  public mutating func append(_ string: some Collection<UInt8>) {
    bytes.append(contentsOf: string)
    ends.append(bytes.count)
  }
}
