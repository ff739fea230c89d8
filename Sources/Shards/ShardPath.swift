/// Where a shard is, and what to call it.
public struct ShardPath: Hashable, Sendable, Codable {
  public var path: String

  public init(path: String) { self.path = path }

  /// What a source begins with that is a command: the command's output is the shard.
  public static let pipePrefix = "pipe:"

  public static func isPipe(_ path: String) -> Bool { path.hasPrefix(pipePrefix) }

  /// The base name without its shard suffix: `00007` for `/data/00007.tar.gz`; of a command, that of the last word that
  /// has such a suffix.
  public var name: String {
    if Self.isPipe(path) {
      let words = path.dropFirst(Self.pipePrefix.count).split { " '\"|<>;&()".contains($0) }
      let file = words.last { Self.suffix(of: String($0.split(separator: "/").last ?? "")) != nil }
      return file.map { ShardPath(path: String($0)).name } ?? "pipe"
    }
    let base = path.split(separator: "/").last.map(String.init) ?? path
    guard let suffix = Self.suffix(of: base) else { return base }
    return String(base.dropLast(suffix.count))
  }

  /// The suffixes that a shard's file name has in a folder.
  public static let suffixes = [".tar", ".tar.gz", ".tgz", ".tar.zst", ".tar.bz2", ".tar.xz"]

  /// The one of ``suffixes`` that a base name ends in, if something stands before it.
  static func suffix(of base: String) -> String? {
    suffixes.first { base.hasSuffix($0) && base.utf8.count > $0.utf8.count }
  }
}
