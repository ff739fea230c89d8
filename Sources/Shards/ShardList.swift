import Foundation

/// What a person or a program names, as the ordered list of shards.
public struct ShardList: Sendable {
  public let shards: ShardPaths
  /// The folders that were named, and walked.
  public let folders: [String]

  /// Expands command-line arguments, in their order.
  ///
  /// An argument is a file; a folder, walked with all below it (sorted by the
  /// bytes of the paths, no links, no hidden names); a pattern (`{00000..00099}`, `{a,b}`,
  /// nested and repeated as one likes); several of these joined by `::`; or `-`, a list on standard input:
  /// one of the above on a line, or NUL-separated (`find -print0`) if there is a NUL in its first 64 KiB; blank lines
  /// and `#` comments are skipped. A path that exists is taken as it stands, braces and all.
  ///
  /// An argument `pipe:COMMAND` is a shard that the command prints; braces in it are expanded too. In a list on standard
  /// input it is refused. A file that is called so is a file, `./pipe:...`.
  ///
  /// A path that doesn't exist is an error, unless it comes from standard input: then it is kept, and the
  /// reader reports it as ``ShardFault/cannotOpen``.
  ///
  /// - Parameter standardInput: gives the next bytes of standard input, none at its end; called only for `-`.
  /// - Throws: ``ShardListError``; also for a path listed twice, relative or absolute, since pairs would be counted twice.
  public init(
    _ arguments: [String],
    standardInput: () throws(ShardListError) -> Data = ShardList.readInput
  ) throws(ShardListError) {
    var list = Collected()
    for argument in arguments {
      if argument != "-" {
        try list.add(argument, mustExist: true)
      } else if list.hasReadInput {
        throw .standardInputTwice
      } else {
        list.hasReadInput = true
        try list.add(linesOf: standardInput)
      }
    }
    (shards, folders) = (list.paths, list.folders)
  }

  private struct Collected {
    var paths = ShardPaths()
    var folders: [String] = []
    var hasReadInput = false
    /// Hashes: the paths themselves are held once.
    private var seen = HashSet()
    private let folder = currentFolder()
    /// Bytes of a line, far beyond any path: what has no line breaks isn't read into memory.
    private static let longestLine = 64 << 10

    /// A line after another: a list is longer than what it comes to.
    mutating func add(
      linesOf input: () throws(ShardListError) -> Data
    ) throws(ShardListError) {
      var waiting: [UInt8] = []
      var (number, isAtEnd) = (0, false)
      while !isAtEnd, waiting.count < 1 << 16, !waiting.contains(0) {
        let piece = try input()
        isAtEnd = piece.isEmpty
        waiting += piece
      }
      let separator: UInt8 = waiting.contains(0) ? 0 : UInt8(ascii: "\n")
      var searched = 0
      while true {
        var start = 0
        while let end = waiting[max(start, searched)...].firstIndex(of: separator) {
          number += 1
          try add(line: waiting[start..<end], number, separator: separator)
          start = end + 1
        }
        waiting.removeFirst(start)
        guard waiting.count <= Self.longestLine else {
          throw .line(number + 1, .lineTooLong(limit: Self.longestLine))
        }
        searched = waiting.count
        if isAtEnd { break }
        let piece = try input()
        isAtEnd = piece.isEmpty
        waiting += piece
      }
      try add(line: waiting[...], number + 1, separator: separator)
    }

    private mutating func add(
      line: ArraySlice<UInt8>, _ number: Int, separator: UInt8
    ) throws(ShardListError) {
      let trimmed = separator != 0 && line.last == UInt8(ascii: "\r") ? line.dropLast() : line
      do throws(ShardListError) {
        guard line.count <= Self.longestLine else { throw .lineTooLong(limit: Self.longestLine) }
        guard !trimmed.contains(0) else { throw .lineHoldsNUL }
        guard let text = String(validating: trimmed, as: UTF8.self) else { throw .lineIsNotUTF8 }
        if text.allSatisfy(\.isWhitespace) || separator != 0 && text.hasPrefix("#") { return }
        guard text != "-" else { throw .listInsideList }
        try add(text, mustExist: false)
      } catch {
        throw .line(number, error)
      }
    }

    mutating func add(_ argument: String, mustExist: Bool) throws(ShardListError) {
      if fileType(argument) != nil { return try add(path: argument, mustExist: mustExist) }
      for part in argument.components(separatedBy: "::") {
        let isPipe = ShardPath.isPipe(part)
        for path in try BracePattern.expand(part) {
          guard isPipe || ShardPath.isPipe(path) && fileType(path) == nil else {
            try add(path: path, mustExist: mustExist)
            continue
          }
          // Data never runs: a list may come from anywhere.
          guard mustExist else { throw .pipe(source: path) }
          try append(path)
        }
      }
    }

    private mutating func add(path: String, mustExist: Bool) throws(ShardListError) {
      switch fileType(path) {
      case S_IFDIR?:
        folders.append(path)
        for shard in try ShardFolder.files(below: path) { try append(file: shard) }
      case nil where mustExist:
        throw .missing(path: path)
      default:
        try append(file: path)
      }
    }

    /// A file may be called like a command, by whoever made it, and is never one.
    private mutating func append(file path: String) throws(ShardListError) {
      try append(ShardPath.isPipe(path) ? "./" + path : path)
    }

    private mutating func append(_ path: String) throws(ShardListError) {
      let plain = plainPath(path, in: folder)
      var hasher = Hasher()
      plain.withUnsafeBytes { hasher.combine(bytes: $0) }
      if !seen.insert(hasher.finalize()),
        paths.contains(where: { plainPath($0.path, in: folder) == plain })
      {
        throw .duplicate(path: path)
      }
      paths.append(ShardPath(path: path))
    }
  }

  /// The next bytes of standard input; none at its end.
  public static func readInput() throws(ShardListError) -> Data {
    var block = Data(count: 1 << 16)
    while true {
      let count = block.withUnsafeMutableBytes { read(STDIN_FILENO, $0.baseAddress, $0.count) }
      if count >= 0 { return block.prefix(count) }
      guard errno == EINTR else { throw .unreadableInput(reason: systemText(errno)) }
    }
  }

  /// The type of the file that a path leads to; nil if there is none.
  private static func fileType(_ path: String) -> mode_t? {
    var status = stat()
    return stat(path, &status) == 0 ? status.st_mode & S_IFMT : nil
  }
}
