import Foundation

/// Where everything goes that isn't a list of shards. Whoever closed it doesn't want to read it: errors are ignored.
enum StandardError {
  static func print(_ line: String) { write(line + "\n") }

  static func write(_ text: String) { _ = Winnow.write(Array(text.utf8), to: STDERR_FILENO) }
}

/// Where lists of shards and figures go.
enum StandardOutput {
  /// - Throws: `OutputFailure`, since who reads a list must not take half of it for the whole.
  static func print(_ line: String) throws(OutputFailure) {
    try write(Array((line + "\n").utf8))
  }

  /// - Throws: `OutputFailure`.
  static func write(_ bytes: [UInt8]) throws(OutputFailure) {
    let code = Winnow.write(bytes, to: STDOUT_FILENO)
    if code != 0 { throw OutputFailure(code: code) }
  }

  struct OutputFailure: Error, CustomStringConvertible {
    var code: Int32

    var description: String {
      "can't write to standard output: \(String(cString: strerror(code))); what was asked for is "
        + "done, only the list is cut short"
    }
  }
}

extension Winnow {
  /// - Returns: 0 or the system's error code. (FileHandle would end the process.)
  fileprivate static func write(_ bytes: [UInt8], to descriptor: Int32) -> Int32 {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      if count <= 0 { return count == 0 ? EIO : errno }
      rest = rest.dropFirst(count)
    }
    return 0
  }
}
