import Foundation
import Testing

/// The Python with what requirements-peers.txt lists; `make test-peers` sets it.
enum Peer {
  private static let python = ProcessInfo.processInfo.environment["WINNOW_PEERS_PYTHON"]
  static let isThere: ConditionTrait = .enabled(
    if: python != nil, "run by make test-peers: needs WINNOW_PEERS_PYTHON")

  /// `Tests`.
  static let tests = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent()

  /// Runs a script of `Tests/Peers`.
  static func run(_ script: String, _ arguments: [String]) throws {
    let process = try process(script, arguments)
    try process.run()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0, "\(script) failed: see what it said above")
  }

  private static func process(_ script: String, _ arguments: [String]) throws -> Process {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try #require(python))
    process.arguments = [tests.appendingPathComponent("Peers/\(script)").path] + arguments
    return process
  }

  /// Runs a script with a folder of its own as the first argument, and gives the folder.
  static func withFolder(
    of script: String, _ arguments: String = "", _ body: (String) throws -> Void
  ) throws {
    let folder = NSTemporaryDirectory() + "winnow-peer-" + UUID().uuidString
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try run(script, [folder] + arguments.split(separator: " ").map(String.init))
    try body(folder)
  }
}
