/// Where a shard is, and what to call it. Paths are the same if their bytes are: to Swift, `é` written in two ways is one
/// string, to the file system two names.
public struct ShardPath: Hashable, Sendable, Codable {
  public var path: String

  public init(path: String) { self.path = path }

  public static func == (a: Self, b: Self) -> Bool { a.path.utf8.elementsEqual(b.path.utf8) }

  public func hash(into hasher: inout Hasher) {
    var path = path
    path.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
  }

  /// What a source begins with that is a command: the command's output is the shard.
  public static let pipePrefix = "pipe:"

  public static func isPipe(_ path: String) -> Bool { path.hasPrefix(pipePrefix) }

  /// The base name without its shard suffix: `00007` for `/data/00007.tar.gz`; of a command, that of the last word that
  /// has such a suffix.
  public var name: String {
    if Self.isPipe(path) {
      let words = path.dropFirst(Self.pipePrefix.count).split { " '\"|<>;&()".contains($0) }
      let file = words.last { Self.suffix(of: Self.base(of: String($0)).utf8) != nil }
      return file.map { ShardPath(path: String($0)).name } ?? "pipe"
    }
    let base = Self.base(of: path)
    guard let suffix = Self.suffix(of: base.utf8) else { return base }
    return String(decoding: base.utf8.dropLast(suffix.utf8.count), as: UTF8.self)
  }

  /// What follows the last slash, told by bytes: a mark behind a slash or a dot makes one character with it.
  static func base(of path: String) -> String {
    path.utf8.split(separator: UInt8(ascii: "/")).last.map { String(decoding: $0, as: UTF8.self) }
      ?? path
  }

  /// The suffixes that a shard's file name has in a folder.
  public static let suffixes = [".tar", ".tar.gz", ".tgz", ".tar.zst", ".tar.bz2", ".tar.xz"]

  /// The one of ``suffixes`` that a base name ends in, if something stands before it.
  static func suffix(
    of base: some BidirectionalCollection<UInt8>, among suffixes: [String] = suffixes
  ) -> String? {
    suffixes.first {
      base.count > $0.utf8.count && base.suffix($0.utf8.count).elementsEqual($0.utf8)
    }
  }
}
