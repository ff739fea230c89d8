import Foundation

private let slash = UInt8(ascii: "/")

/// The bytes that tell a listed path from another: absolute, without empty, `.` and `..` components, so that `in/0.tar`,
/// `./in/0.tar` and `/data/in/0.tar` are one. Bytes, since two names that differ only in Unicode's normal form are two
/// files. Links stay, but for one that a `..` leads back from, where the system goes. A command stays as it is.
/// - Parameter folder: what a relative path starts from, as ``currentFolder()`` gives it.
public func plainPath(_ path: String, in folder: [UInt8] = currentFolder()) -> [UInt8] {
  if ShardPath.isPipe(path) { return Array(path.utf8) }
  var plain = path.utf8.first == slash ? [] : folder
  for component in path.utf8.split(separator: slash) where !component.elementsEqual(".".utf8) {
    if component.elementsEqual("..".utf8) {
      if let target = linkTarget(plain) { plain = target }
      plain.removeSubrange((plain.lastIndex(of: slash) ?? plain.count)...)
    } else {
      plain.append(slash)
      plain += component
    }
  }
  return plain
}

/// The real path of a link, none for the root; nil where it is no link.
private func linkTarget(_ path: [UInt8]) -> [UInt8]? {
  (path.map(CChar.init(bitPattern:)) + [0]).withUnsafeBufferPointer { path in
    var status = stat()
    guard let name = path.baseAddress, lstat(name, &status) == 0,
      status.st_mode & S_IFMT == S_IFLNK, let target = realpath(name, nil)
    else { return nil }
    defer { free(target) }
    let bytes = Array(UnsafeRawBufferPointer(start: target, count: strlen(target)))
    return bytes == [slash] ? [] : bytes
  }
}

/// The bytes of the current folder's path, none for the root; a `.` where the folder is gone.
public func currentFolder() -> [UInt8] {
  guard let path = getcwd(nil, 0) else { return [UInt8(ascii: ".")] }
  defer { free(path) }
  let bytes = Array(UnsafeRawBufferPointer(start: path, count: strlen(path)))
  return bytes == [slash] ? [] : bytes
}
