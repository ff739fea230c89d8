import Foundation
import ModelParity
import Testing

/// The Python with what requirements-peers.txt lists; `make test-peers` sets it.
let peersPython = ProcessInfo.processInfo.environment["WINNOW_PEERS_PYTHON"]

/// Embeddings against PyTorch's, with random weights that transformers and open_clip saved.
@Suite(.enabled(if: peersPython != nil, "set WINNOW_PEERS_PYTHON, or run make test-peers"))
struct PeerModelTests {
  /// Makes a model with its own library, and gives its folder.
  private func withModel(_ arguments: String, _ body: (String) throws -> Void) throws {
    let folder = NSTemporaryDirectory() + "winnow-peer-" + UUID().uuidString
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../Peers/make_clip_models.py").standardizedFileURL.path
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try #require(peersPython))
    process.arguments = [script, folder] + arguments.split(separator: " ").map(String.init)
    try process.run()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0)
    try body(folder)
  }

  @Test(
    arguments: ["hugging-face", "chinese", "open-clip"].flatMap { layout in
      ["gelu", "quick_gelu"].flatMap { activation in
        ["float32", "float16", "bfloat16"].map { type in
          "--layout \(layout) --activation \(activation) --dtype \(type)"
        }
      }
    } + [
      "--layout hugging-face --shards", "--layout hugging-face --size base",
      "--layout chinese --size base --dtype float16",
      "--layout open-clip --size base --activation gelu --dtype bfloat16",
    ])
  func embeddingsAgreeToATenthOfAThousandth(model: String) throws {
    try withModel(model) { folder in
      let differences = try ModelParity(folder: folder).differences()
      print("\(model): images \(differences.images), captions \(differences.texts)")
      #expect(differences.images < 1e-4)
      #expect(differences.texts < 1e-4)
    }
  }
}
