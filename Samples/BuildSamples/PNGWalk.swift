import Foundation

/// The PNG files below `folder`, in bytewise order of their paths, which are relative to it.
///
/// A link counts as the file it stands for when that file lies below `folder` too: Debian replaces equal files by
/// links, and the copies have captions of their own. Any other link is skipped. A folder that isn't there has none.
func pngFiles(below folder: URL, into harvest: inout Harvest) -> [String] {
  let root = folder.resolvingSymlinksInPath().path
  guard let names = FileManager.default.enumerator(atPath: root) else { return [] }
  var found: [String] = []
  for case let name as String in names where name.lowercased().hasSuffix(".png") {
    let target = URL(fileURLWithPath: root).appendingPathComponent(name).resolvingSymlinksInPath()
    var isFolder: ObjCBool = false
    if target.path.hasPrefix(root + "/"),
      FileManager.default.fileExists(atPath: target.path, isDirectory: &isFolder),
      !isFolder.boolValue
    {
      found.append(name)
    } else {
      harvest.skip("PNG that is no file of the package")
    }
  }
  return found.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
}

/// `text` in one line: runs of white space become one space, none is left at the ends.
func collapsingWhitespace(_ text: some StringProtocol) -> String {
  text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
}
