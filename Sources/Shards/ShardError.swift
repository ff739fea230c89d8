import Foundation

/// Why a shard could not be written. Every text names the shard and what to do.
public enum ShardError: Error, Equatable, CustomStringConvertible {
  /// The file could not be created; `reason` is the system's text.
  case cannotCreate(path: String, reason: String)
  /// Writing, syncing or closing failed part way: the file is incomplete and must be deleted.
  case cannotWrite(path: String, reason: String)
  /// A tar cannot hold a member of this name (empty, or with a NUL byte).
  case unusableName(path: String, name: [UInt8])
  /// The bytes given for a member aren't as many as were announced.
  case wrongSize(path: String, name: [UInt8])
  /// `append` or `finish` was called after `finish`.
  case alreadyFinished(path: String)

  public var description: String {
    switch self {
    case .cannotCreate(let path, let reason):
      "\(path): cannot create the shard: \(reason); check the folder and its permissions"
    case .cannotWrite(let path, let reason):
      "\(path): cannot write the shard: \(reason); see to that and write it again"
    case .unusableName(let path, let name):
      "\(path): a tar cannot hold a member named '\(printable(name))'; rename it in the input"
    case .wrongSize(let path, let name):
      "\(path): member '\(printable(name))' isn't as long as its header says; what is there of the shard can't be used"
    case .alreadyFinished(let path):
      "\(path): the shard is already finished; open a new writer for more members"
    }
  }
}

/// The system's text for an errno value.
func systemText(_ code: Int32) -> String {
  guard let text = strerror(code) else { return "error \(code)" }
  return String(cString: text)
}

/// A member name for messages: invalid UTF-8 and control characters become U+FFFD, and what no file system takes for a name
/// (a tar may hold a megabyte) is cut off.
public func printable(_ name: some Collection<UInt8>, limit: Int = 255) -> String {
  String(
    String.UnicodeScalarView(
      String(decoding: name.prefix(limit), as: UTF8.self).unicodeScalars.map {
        $0.properties.generalCategory == .control ? "\u{FFFD}" : $0
      })) + (name.count > limit ? "..." : "")
}
