import Foundation

/// Where everything goes that isn't a list of shards.
enum StandardError {
  static func print(_ line: String) { FileHandle.standardError.write(Data((line + "\n").utf8)) }
}
