import Foundation
import Testing

@testable import Text

/// Token ids of 10,000 real captions (English, Chinese and sixty other languages) and 2,000 tricky ones, exactly as the
/// originals give them. `make test-peers` sets WINNOW_PEERS_PYTHON, an interpreter with transformers and open_clip.
@Suite(Peer.isThere, .serialized)
struct TokenizerPeerTests {
  private struct Ids: Decodable {
    var whole: [[Int32]]
    /// Of the first captions, cut at 2 to 9 ids.
    var cut: [[[Int32]]]
  }

  /// The folder that tokenize_captions.py filled, once for all tests.
  private static let folder = Result {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("winnow-tokenizers-\(ProcessInfo.processInfo.processIdentifier)")
    let debs = Peer.tests.deletingLastPathComponent().appendingPathComponent("Samples/data/debs")
    try Peer.run("tokenize_captions.py", [debs.path, folder.path])
    return folder
  }

  private func file(_ name: String) throws -> Data {
    try Data(contentsOf: try Self.folder.get().appendingPathComponent(name))
  }

  private func captions() throws -> [String] {
    try JSONDecoder().decode([String].self, from: try file("captions.json"))
  }

  private func expect(_ tokenizer: some Tokenizer, matches peer: String) throws {
    let captions = try captions()
    let ids = try JSONDecoder().decode(Ids.self, from: try file("\(peer).json"))
    try #require(captions.count > 10_000 && ids.whole.count == captions.count)
    let began = ContinuousClock.now
    let ours = captions.map { tokenizer.encode($0, limit: 77) }
    print("\(peer): \(captions.count) captions in \(ContinuousClock.now - began)")
    let wrong = captions.indices.filter { ours[$0] != ids.whole[$0] }
    #expect(
      wrong.isEmpty, "\(wrong.count) captions differ: \(wrong.prefix(5).map { captions[$0] })")
    for (caption, cut) in zip(captions, ids.cut) {
      #expect((2..<10).map { tokenizer.encode(caption, limit: $0) } == cut, "\(caption)")
    }
  }

  @Test func openCLIPsSimpleTokenizer() throws {
    try expect(BytePairTokenizer(openCLIPMerges: file("open_clip.txt")), matches: "open_clip")
  }

  @Test func transformersCLIPTokenizer() throws {
    try expect(
      BytePairTokenizer(vocabulary: file("clip/vocab.json"), merges: file("clip/merges.txt")),
      matches: "clip")
    try expect(BytePairTokenizer(tokenizerJSON: file("clip/tokenizer.json")), matches: "clip")
  }

  @Test(arguments: ["bert", "bert-cased"])
  func transformersBertTokenizer(_ name: String) throws {
    try expect(
      WordPieceTokenizer(
        vocabulary: file("\(name)/vocab.txt"), configuration: file("\(name)/tokenizer_config.json")),
      matches: name)
    try expect(WordPieceTokenizer(tokenizerJSON: file("\(name)/tokenizer.json")), matches: name)
  }

  /// OpenCLIP cleans captions with ftfy, Hugging Face doesn't: one model gives them two embeddings.
  @Test func theTwoLayoutsDifferOnFewCaptions() throws {
    let openCLIP = try BytePairTokenizer(openCLIPMerges: file("open_clip.txt"))
    let clip = try BytePairTokenizer(
      vocabulary: file("clip/vocab.json"), merges: file("clip/merges.txt"))
    let captions = try captions()
    let differing = captions.filter { openCLIP.encode($0, limit: 77) != clip.encode($0, limit: 77) }
    print("OpenCLIP's and Hugging Face's ids differ on \(differing.count) of \(captions.count)")
    #expect(differing.count > 0 && differing.count < captions.count / 5)
  }

  @Test func transformersReadsALearntVocabulary() throws {
    let captions = try captions()
    var trainer = BytePairTrainer()
    for caption in captions { trainer.add(caption) }
    let tokenizer = try trainer.tokenizer(vocabularySize: 4_096)
    let folder = try Self.folder.get().appendingPathComponent("learnt")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let files = tokenizer.files()
    try files.vocabulary.write(to: folder.appendingPathComponent("vocab.json"))
    try files.merges.write(to: folder.appendingPathComponent("merges.txt"))
    let ids = try Self.folder.get().appendingPathComponent("learnt.json").path
    try Peer.run(
      "tokenize_learnt.py", [folder.path, try Self.folder.get().path + "/captions.json", ids])
    try expect(tokenizer, matches: "learnt")
  }
}
