/// What is wrong with a list of shards, and what to do about it.
public enum ShardListError: Error, Equatable, CustomStringConvertible {
  case missing(path: String)
  case emptyFolder(path: String)
  case unreadableFolder(path: String, reason: String)
  /// A name below this folder (shown with U+FFFD) is not UTF-8.
  case nameIsNotUTF8(path: String)
  case unbalancedBrace(pattern: String)
  case tooManyPaths(pattern: String, limit: Int)
  case tooManyBraces(pattern: String, limit: Int)
  case duplicate(path: String)
  case pipe(source: String)
  case standardInputTwice
  case unreadableInput(reason: String)
  /// A line (or NUL-separated entry) of standard input, counted from 1.
  indirect case line(Int, ShardListError)
  case listInsideList
  case lineIsNotUTF8
  /// Of more bytes than the limit.
  case lineTooLong(limit: Int)
  /// Behind what would tell that the list is NUL-separated.
  case lineHoldsNUL

  public var description: String {
    switch self {
    case .missing(let path):
      "\(path): no such file or folder; check the path"
    case .emptyFolder(let path):
      "\(path): no shards in this folder or below; looked for "
        + ShardPath.suffixes.map { "*" + $0 }.joined(separator: " ")
        + ", following no links and leaving out hidden names"
    case .unreadableFolder(let path, let reason):
      "\(path): cannot read the folder: \(reason); check its permissions"
    case .nameIsNotUTF8(let path):
      "\(path): a file name that is not UTF-8; rename the file"
    case .unbalancedBrace(let pattern):
      "\(pattern): a brace without its partner; write {00..99} or {a,b}"
    case .tooManyPaths(let pattern, let limit):
      "\(pattern.prefix(200)): names more than \(limit) shards; split the pattern"
    case .tooManyBraces(let pattern, let limit):
      "\(pattern.prefix(200)): has more than \(limit) groups in braces; split the pattern"
    case .duplicate(let path):
      "\(path): listed twice; list each shard once"
    case .pipe(let source):
      "\(source): a command is taken from the command line or the pipeline file only, never from a list"
    case .standardInputTwice:
      "-: standard input can be listed only once"
    case .unreadableInput(let reason):
      "-: cannot read standard input: \(reason); check what it is redirected from"
    case .line(let number, let error):
      "standard input, line \(number): \(error)"
    case .listInsideList:
      "-: a list cannot name standard input again; take the line out"
    case .lineIsNotUTF8:
      "a path that is not UTF-8; rename the file"
    case .lineTooLong(let limit):
      "a line of more than \(limit) bytes; give one path on a line"
    case .lineHoldsNUL:
      "a NUL among lines; separate the paths by newlines, or all of them by NUL"
    }
  }
}
