import Foundation

/// What a person or a program names, as the ordered list of shards.
public struct ShardList: Sendable {
  public let shards: [ShardPath]
  /// The folders that were named, and walked.
  public let folders: [String]

  /// Expands command-line arguments, in their order.
  ///
  /// An argument is a file; a folder, walked with all below it (sorted by the
  /// bytes of the paths, no links, no hidden names); a pattern (`{00000..00099}`, `{a,b}`,
  /// nested and repeated as one likes); several of these joined by `::`; or `-`, a list on standard input:
  /// one of the above on a line, or NUL-separated (`find -print0`) if there is a NUL in it; blank lines
  /// and `#` comments are skipped. A path that exists is taken as it stands, braces and all.
  ///
  /// An argument `pipe:COMMAND` is a shard that the command prints; braces in it are expanded too. In a list on standard
  /// input it is refused.
  ///
  /// A path that doesn't exist is an error, unless it comes from standard input: then it is kept, and the
  /// reader reports it as ``ShardFault/cannotOpen``.
  ///
  /// - Parameter standardInput: gives all of standard input; called only for `-`.
  /// - Throws: ``ShardListError``; also for a path listed twice, since pairs would be counted twice.
  public init(
    _ arguments: [String],
    standardInput: () -> Data = { FileHandle.standardInput.readDataToEndOfFile() }
  ) throws(ShardListError) {
    var list = Collected()
    for argument in arguments {
      if argument != "-" {
        try list.add(argument, mustExist: true)
      } else if list.hasReadInput {
        throw .standardInputTwice
      } else {
        list.hasReadInput = true
        try list.add(lines: standardInput())
      }
    }
    (shards, folders) = (list.paths, list.folders)
  }

  private struct Collected {
    var paths: [ShardPath] = []
    var folders: [String] = []
    var hasReadInput = false
    private var seen: Set<String> = []

    mutating func add(lines data: Data) throws(ShardListError) {
      let separator: UInt8 = data.contains(0) ? 0 : UInt8(ascii: "\n")
      var number = 0
      for line in data.split(separator: separator, omittingEmptySubsequences: false) {
        number += 1
        let trimmed = separator != 0 && line.last == UInt8(ascii: "\r") ? line.dropLast() : line
        do throws(ShardListError) {
          guard let text = String(validating: trimmed, as: UTF8.self) else { throw .lineIsNotUTF8 }
          if text.allSatisfy(\.isWhitespace) || separator != 0 && text.hasPrefix("#") { continue }
          guard text != "-" else { throw .listInsideList }
          try add(text, mustExist: false)
        } catch {
          throw .line(number, error)
        }
      }
    }

    mutating func add(_ argument: String, mustExist: Bool) throws(ShardListError) {
      if fileType(argument) != nil { return try add(path: argument, mustExist: mustExist) }
      for part in argument.components(separatedBy: "::") {
        let isPipe = ShardPath.isPipe(part)
        // Data never runs: a list may come from anywhere.
        if isPipe, !mustExist { throw .pipe(source: part) }
        for path in try BracePattern.expand(part) {
          if isPipe { try append(path) } else { try add(path: path, mustExist: mustExist) }
        }
      }
    }

    private mutating func add(path: String, mustExist: Bool) throws(ShardListError) {
      switch fileType(path) {
      case S_IFDIR?:
        folders.append(path)
        for shard in try ShardFolder.shards(below: path) { try append(shard) }
      case nil where mustExist:
        throw .missing(path: path)
      default:
        try append(path)
      }
    }

    private mutating func append(_ path: String) throws(ShardListError) {
      guard seen.insert(ShardPath.isPipe(path) ? path : plain(path)).inserted else {
        throw .duplicate(path: path)
      }
      paths.append(ShardPath(path: path))
    }
  }

  /// The type of the file that a path leads to; nil if there is none.
  private static func fileType(_ path: String) -> mode_t? {
    var status = stat()
    return stat(path, &status) == 0 ? status.st_mode & S_IFMT : nil
  }

  /// The path without its empty and `.` components, so that `./a.tar` and `a.tar` are the same.
  private static func plain(_ path: String) -> String {
    (path.hasPrefix("/") ? "/" : "")
      + path.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
  }
}
