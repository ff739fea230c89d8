import CGlibc
import Foundation

/// How output appears, whole or not at all: written to a temporary file, flushed to the disk, renamed, the folder flushed.
struct Publishing: Sendable {
  /// On the same file system as everything published.
  let temporary: String

  /// - Parameter write: writes the whole file (or folder) to the path that it is given.
  func publish(_ path: String, write: (_ temporary: String) throws -> Void) throws {
    let name = (path as NSString).lastPathComponent
    let number = UInt64.random(in: 0 ... .max)
    let draft = "\(temporary)/\(number)-\(name)"
    do {
      try write(draft)
      try Self.flush(draft, for: path)
      guard rename(draft, path) == 0 else {
        throw RunError.file(path: path, operation: "rename into place", code: errno)
      }
    } catch {
      try? FileManager.default.removeItem(atPath: draft)
      // The draft's name means nothing to anybody.
      let text = "\(error)"
      guard !(error is RunError), text.contains("\(number)-") else { throw error }
      // Foundation's text is none to read. What it couldn't read is another file.
      if let error = error as? CocoaError {
        let (code, place) = (systemCode(of: error), error.filePath ?? error.url?.path ?? "")
        if place.contains("/\(number)-") || [ENOSPC, EDQUOT, EFBIG, EROFS].contains(code) {
          throw RunError.file(path: path, operation: "write", code: code)
        }
      }
      throw RunError.publishing(text.replacingOccurrences(of: draft, with: path))
    }
    try Self.flush((path as NSString).deletingLastPathComponent)
  }

  /// A folder of files, visible as a whole.
  /// - Parameter write: writes the files into the folder that it is given.
  func publish(folder path: String, write: (_ temporary: String) throws -> Void) throws {
    try publish(path) { draft in
      let files = FileManager.default
      try files.createDirectory(atPath: draft, withIntermediateDirectories: false)
      try write(draft)
      for file in try files.subpathsOfDirectory(atPath: draft) {
        try Self.flush("\(draft)/\(file)", for: "\(path)/\(file)")
      }
    }
  }

  func publish(_ data: Data, to path: String) throws {
    try publish(path) { draft in
      do {
        try data.write(to: URL(fileURLWithPath: draft))
      } catch {
        throw RunError.file(path: path, operation: "write", code: systemCode(of: error))
      }
    }
  }

  /// Sorted keys, so that equal values are equal bytes.
  func publish(json value: some Encodable, to path: String) throws {
    try publish(try StateJSON.encode(value), to: path)
  }

  /// fsync of a file or a folder.
  /// - Parameter name: the path that errors name instead.
  static func flush(_ path: String, for name: String? = nil) throws(RunError) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .file(path: name ?? path, operation: "open", code: errno) }
    defer { close(descriptor) }
    let code = sync_file(descriptor)
    guard code == 0 else { throw .file(path: name ?? path, operation: "flush", code: code) }
  }
}
