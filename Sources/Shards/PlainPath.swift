import Foundation

private let slash = UInt8(ascii: "/")

/// The bytes that tell a listed path from another: absolute, without empty, `.` and `..` components, so that `in/0.tar`,
/// `./in/0.tar` and `/data/in/0.tar` are one. Bytes, since two names that differ only in Unicode's normal form are two
/// files. Links aren't looked at. A command stays as it is.
/// - Parameter folder: what a relative path starts from, as ``currentFolder()`` gives it.
func plainPath(_ path: String, in folder: [UInt8]) -> [UInt8] {
  if ShardPath.isPipe(path) { return Array(path.utf8) }
  var plain = path.utf8.first == slash ? [] : folder
  for component in path.utf8.split(separator: slash) where !component.elementsEqual(".".utf8) {
    if component.elementsEqual("..".utf8) {
      plain.removeSubrange((plain.lastIndex(of: slash) ?? plain.count)...)
    } else {
      plain.append(slash)
      plain += component
    }
  }
  return plain
}

/// The bytes of the current folder's path, none for the root; a `.` where the folder is gone.
func currentFolder() -> [UInt8] {
  guard let path = getcwd(nil, 0) else { return [UInt8(ascii: ".")] }
  defer { free(path) }
  let bytes = Array(UnsafeRawBufferPointer(start: path, count: strlen(path)))
  return bytes == [slash] ? [] : bytes
}
