import Foundation
import Testing

/// The Python with what requirements-peers.txt lists; `make test-peers` sets it.
enum Peer {
  static let python = ProcessInfo.processInfo.environment["WINNOW_PEERS_PYTHON"]
  static let isThere: ConditionTrait = .enabled(
    if: python != nil, "set WINNOW_PEERS_PYTHON, or run make test-peers")

  /// Runs a script of Tests/Peers with a folder of its own as the first argument, and gives the folder.
  static func withFolder(
    of script: String, _ arguments: String = "", _ body: (String) throws -> Void
  ) throws {
    let folder = NSTemporaryDirectory() + "winnow-peer-" + UUID().uuidString
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../Peers/\(script)").standardizedFileURL.path
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try #require(python))
    process.arguments = [path, folder] + arguments.split(separator: " ").map(String.init)
    try process.run()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0)
    try body(folder)
  }
}
