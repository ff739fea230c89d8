import Foundation

/// What tells a file from another without opening it.
struct FileIdentity: Sendable, Equatable, Codable {
  var size: Int64
  /// Nanoseconds since 1970.
  var modified: Int64
  var inode: UInt64

  init(size: Int64, modified: Int64, inode: UInt64) {
    (self.size, self.modified, self.inode) = (size, modified, inode)
  }

  init(of path: String) throws(RunError) {
    var info = stat()
    guard stat(path, &info) == 0 else {
      throw .file(path: path, operation: "look at", code: errno)
    }
    guard info.st_mode & S_IFMT == S_IFREG else {
      throw .file(path: path, operation: "read from a device, pipe or folder", code: ENOTSUP)
    }
    size = Int64(info.st_size)
    // A time beyond 2262 wraps around: it need only be the same for the same file.
    modified = Int64(info.st_mtim.tv_sec) &* 1_000_000_000 &+ Int64(info.st_mtim.tv_nsec)
    inode = UInt64(info.st_ino)
  }

  /// Whether something is there that is no regular file.
  static func isSpecial(_ path: String) -> Bool {
    var info = stat()
    return stat(path, &info) == 0 && info.st_mode & S_IFMT != S_IFREG
  }
}
