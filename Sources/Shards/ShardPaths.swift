/// Paths in their order, the bytes of all in one array: a list of a million takes no more than they do, and no memory of the
/// process' own (``SpilledArray``).
public struct ShardPaths: RandomAccessCollection, Sendable, Equatable {
  private var bytes = SpilledArray<UInt8>()
  /// Where in `bytes` each path ends.
  private var ends = SpilledArray<Int>()

  public init() {}

  public init(_ paths: some Sequence<ShardPath>) { for path in paths { append(path) } }

  public var startIndex: Int { 0 }
  public var endIndex: Int { ends.count }

  public subscript(position: Int) -> ShardPath {
    let start = position == 0 ? 0 : ends[position - 1]
    return ShardPath(path: String(decoding: bytes[start..<ends[position]], as: UTF8.self))
  }

  public mutating func append(_ path: ShardPath) {
    for byte in path.path.utf8 { bytes.append(byte) }
    ends.append(bytes.count)
  }

  public static func == (a: Self, b: Self) -> Bool { a.elementsEqual(b) }
}
