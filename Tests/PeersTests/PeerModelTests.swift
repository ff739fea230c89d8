import ModelParity
import Testing

/// Embeddings against PyTorch's, with random weights that transformers and open_clip saved.
@Suite(Peer.isThere) struct PeerModelTests {
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
    try Peer.withFolder(of: "make_clip_models.py", model) { folder in
      let differences = try ModelParity(folder: folder).differences()
      print("\(model): images \(differences.images), captions \(differences.texts)")
      #expect(differences.images < 1e-4)
      #expect(differences.texts < 1e-4)
    }
  }
}
