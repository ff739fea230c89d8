import Foundation

/// Why `FileManager` gave no contents of a file, in words: it doesn't say so itself.
public func whyUnreadable(_ path: String) -> String {
  let code = unreadableCode(path)
  if isMissing(code) { return "no such file" }
  var isFolder: ObjCBool = false
  if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
    return "it is a folder, not a file"
  }
  return "it can't be read: \(String(cString: strerror(code)))"
}

/// The same as the system's code.
func unreadableCode(_ path: String) -> Int32 { access(path, R_OK) == 0 ? EIO : errno }

/// Whether a code says that there is no such file.
func isMissing(_ code: Int32) -> Bool { code == ENOENT || code == ENOTDIR }
