import Foundation

@testable import Shards

/// A folder that is gone when the test ends.
final class Scratch {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "shards-tests-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String) -> String { path + "/" + name }

  /// Writes `bytes` to a file of this folder, making the folders on the way.
  @discardableResult
  func write(_ bytes: [UInt8], to name: String) throws -> String {
    let path = file(name)
    try FileManager.default.createDirectory(
      atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    return path
  }

  func read(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: file(name))))
  }
}

/// Runs a program found on PATH and gives its exit status and what it printed.
func run(
  _ program: String, _ arguments: [String], in folder: String
) throws -> (status: Int32, output: String) {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
  process.arguments = ["LC_ALL=C.UTF-8", program] + arguments
  process.currentDirectoryURL = URL(fileURLWithPath: folder)
  let pipe = Pipe()
  process.standardOutput = pipe
  process.standardError = pipe
  try process.run()
  let output = pipe.fileHandleForReading.readDataToEndOfFile()
  process.waitUntilExit()
  return (process.terminationStatus, String(decoding: output, as: UTF8.self))
}

func member(_ name: String, _ content: String) -> Member {
  Member(name: Array(name.utf8), bytes: Array(content.utf8))
}

/// Writes a shard of these members and returns its path.
@discardableResult
func writeShard(
  _ members: [Member], to path: String, compression: ShardCompression = .none
) throws -> String {
  let writer = try ShardWriter(path: path, compression: compression)
  for member in members { try writer.append(member) }
  try writer.finish()
  return path
}
