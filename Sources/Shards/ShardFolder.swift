import Foundation

/// Finds the shards below a folder, or other files of certain names.
public enum ShardFolder {
  /// The files below `folder` whose names end so, sorted by the bytes of their paths (`find | LC_ALL=C sort`). Links are
  /// not followed, names that start with a dot are left out.
  /// - Parameter followsFiles: links to files count as files.
  /// - Throws: `emptyFolder`, `unreadableFolder`, `nameIsNotUTF8`.
  public static func files(
    below folder: String, suffixes: [String] = ShardPath.suffixes, followsFiles: Bool = false
  ) throws(ShardListError) -> [String] {
    var found: [String] = []
    var folders = [folder]
    while let current = folders.popLast() {
      for (name, type) in try entries(of: current, isNamed: current == folder, followsFiles) {
        guard name.first != UInt8(ascii: "."),
          type == S_IFDIR || type == S_IFREG && ShardPath.suffix(of: name, among: suffixes) != nil
        else { continue }
        let path = (current.hasSuffix("/") ? current : current + "/")
        guard let text = String(validating: name, as: UTF8.self) else {
          throw .nameIsNotUTF8(path: path + printable(name))
        }
        if type == S_IFDIR { folders.append(path + text) } else { found.append(path + text) }
      }
    }
    guard !found.isEmpty else { throw .emptyFolder(path: folder) }
    return found.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// A folder's names with their file types, links as links.
  /// - Parameter isNamed: somebody named it; it isn't one that was found below another.
  private static func entries(
    of folder: String, isNamed: Bool, _ followsFiles: Bool
  ) throws(ShardListError) -> [(name: [UInt8], type: mode_t)] {
    guard let stream = opendir(folder) else {
      // Gone since it was listed, or where a disk keeps what its repair finds, for root alone.
      if !isNamed, errno == ENOENT || folder.hasSuffix("/lost+found") { return [] }
      throw .unreadableFolder(path: folder, reason: systemText(errno))
    }
    defer { closedir(stream) }
    var entries: [(name: [UInt8], type: mode_t)] = []
    errno = 0
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
      var status = stat()
      let known = (name + [0]).map(CChar.init(bitPattern:)).withUnsafeBufferPointer {
        $0.baseAddress.map { fstatat(dirfd(stream), $0, &status, AT_SYMLINK_NOFOLLOW) }
      }
      if known == 0 {
        var type = status.st_mode & S_IFMT
        let path = folder + "/" + String(decoding: name, as: UTF8.self)
        if followsFiles, type == S_IFLNK, stat(path, &status) == 0,
          status.st_mode & S_IFMT == S_IFREG
        {
          type = S_IFREG
        }
        entries.append((name, type))
      } else if errno != ENOENT {  // gone since it was listed: not a shard any more
        let path = "\(folder)/\(printable(name))"
        throw .unreadableFolder(path: path, reason: systemText(errno))
      }
      errno = 0
    }
    guard errno == 0 else {
      throw .unreadableFolder(path: folder, reason: systemText(errno))
    }
    return entries
  }
}
