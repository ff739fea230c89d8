import Foundation

/// Calls `body` with the path of a file that holds `bytes`, in memory where the system has a place for that.
func withFile<Result>(_ bytes: [UInt8], _ body: (String) throws -> Result) throws -> Result {
  let folder = access("/dev/shm", W_OK) == 0 ? "/dev/shm/" : NSTemporaryDirectory()
  var name = Array("\(folder)winnow-fuzz-XXXXXX\0".utf8CString)
  let descriptor = mkstemp(&name)
  guard descriptor >= 0 else { throw CocoaError(.fileWriteUnknown) }
  let path = name.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } } ?? ""
  defer {
    close(descriptor)
    unlink(path)
  }
  guard bytes.withUnsafeBytes({ write(descriptor, $0.baseAddress, $0.count) }) == bytes.count else {
    throw CocoaError(.fileWriteUnknown)
  }
  return try body(path)
}

/// A file beside the tests of another room that `Tests/Peers` made.
func golden(_ path: String) throws -> [UInt8] {
  let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../..").standardizedFileURL
  return [UInt8](try Data(contentsOf: tests.appendingPathComponent(path)))
}

/// What `write` leaves in the file whose path it is given.
func written(_ write: (String) throws -> Void) throws -> [UInt8] {
  try withFile([]) { path in
    try write(path)
    return [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
  }
}
