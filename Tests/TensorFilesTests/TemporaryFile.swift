import Foundation

/// A path of its own, removed with the value that names it.
final class TemporaryFile {
  let path: String

  init(_ bytes: [UInt8]? = nil, name: String = "file") throws {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "tensorfiles-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
    path = folder.appending(path: name).path
    if let bytes { try write(bytes) }
  }

  deinit {
    try? FileManager.default.removeItem(at: URL(filePath: path).deletingLastPathComponent())
  }

  func write(_ bytes: [UInt8]) throws { try Data(bytes).write(to: URL(filePath: path)) }
  func bytes() throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(filePath: path))) }
}

func littleEndian(_ value: UInt64) -> [UInt8] {
  (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
}
