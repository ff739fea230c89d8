/// Paths in their order, the bytes of all in one array: a list of a million takes little more than they do.
public struct ShardPaths: RandomAccessCollection, Sendable, Equatable {
  private var bytes: [UInt8] = []
  /// Where in `bytes` each path ends.
  private var ends: [Int] = []

  public init() {}

  public init(_ paths: some Sequence<ShardPath>) { for path in paths { append(path) } }

  public var startIndex: Int { 0 }
  public var endIndex: Int { ends.count }

  public subscript(position: Int) -> ShardPath {
    let start = position == 0 ? 0 : ends[position - 1]
    return ShardPath(path: String(decoding: bytes[start..<ends[position]], as: UTF8.self))
  }

  public mutating func append(_ path: ShardPath) {
    bytes.append(contentsOf: path.path.utf8)
    ends.append(bytes.count)
  }
}
