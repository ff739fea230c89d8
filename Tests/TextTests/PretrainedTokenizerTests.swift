import Foundation
import Testing

@testable import Text

/// Ids and vocabularies that Tests/Peers/make_tokenizer_goldens.py took from transformers 5.23 and open_clip 3.3.
struct TokenizerGoldens: Decodable {
  var texts: [String]
  var fixed: [String]
  var clip: [[Int32]]
  var openCLIP: [[Int32]]
  var bert: [[Int32]]
  var bertCased: [[Int32]]

  static let limit = 40

  static func file(_ name: String) throws -> Data {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    return try Data(contentsOf: folder.appendingPathComponent("Goldens/\(name)"))
  }

  static func read() throws -> TokenizerGoldens {
    try JSONDecoder().decode(TokenizerGoldens.self, from: try file("ids.json"))
  }
}

@Suite struct PretrainedTokenizerTests {
  private let goldens: TokenizerGoldens
  private let openCLIP: BytePairTokenizer
  private let clip: BytePairTokenizer
  private let bert: WordPieceTokenizer

  init() throws {
    goldens = try .read()
    openCLIP = try BytePairTokenizer(openCLIPMerges: TokenizerGoldens.file("open_clip.txt"))
    clip = try BytePairTokenizer(
      vocabulary: TokenizerGoldens.file("clip/vocab.json"),
      merges: TokenizerGoldens.file("clip/merges.txt"))
    bert = try WordPieceTokenizer(vocabulary: TokenizerGoldens.file("bert/vocab.txt"))
  }

  private func expect(_ tokenizer: some Tokenizer, gives ids: [[Int32]]) {
    #expect(ids.count == goldens.texts.count && ids.count > 40)
    for (text, ids) in zip(goldens.texts, ids) {
      #expect(
        tokenizer.encode(text, limit: TokenizerGoldens.limit) == ids, "\(text.debugDescription)")
    }
  }

  @Test func idsAreTransformersCLIPTokenizers() throws {
    expect(clip, gives: goldens.clip)
    expect(
      try BytePairTokenizer(tokenizerJSON: TokenizerGoldens.file("clip/tokenizer.json")),
      gives: goldens.clip)
  }

  @Test func idsAreOpenCLIPsSimpleTokenizers() {
    expect(openCLIP, gives: goldens.openCLIP)
  }

  @Test func idsAreTransformersBertTokenizers() throws {
    expect(bert, gives: goldens.bert)
    expect(
      try WordPieceTokenizer(tokenizerJSON: TokenizerGoldens.file("bert/lower/tokenizer.json")),
      gives: goldens.bert)
    expect(
      try WordPieceTokenizer(
        vocabulary: TokenizerGoldens.file("bert/vocab.txt"),
        configuration: TokenizerGoldens.file("bert/cased/tokenizer_config.json")),
      gives: goldens.bertCased)
  }

  @Test func brokenTextIsFixedAsByFtfy() {
    for (text, fixed) in zip(goldens.texts, goldens.fixed) {
      let ours = String(scalars: fixText(Array(text.unicodeScalars)))
      #expect(Array(ours.utf8) == Array(fixed.utf8), "\(text.debugDescription)")
    }
  }

  @Test func cutCaptionsKeepTheirEnd() {
    for tokenizer in [openCLIP, clip, bert] as [any Tokenizer] {
      let whole = tokenizer.encode("a cat it a cat", limit: 77)
      #expect(whole.count > 5 && whole.last == tokenizer.endID && whole.first == tokenizer.startID)
      for limit in 1..<whole.count {
        #expect(
          tokenizer.encode("a cat it a cat", limit: limit) == whole.prefix(limit - 1) + [
            tokenizer.endID
          ])
      }
      #expect(tokenizer.encode("a cat", limit: 0).isEmpty)
      #expect(tokenizer.encode("", limit: 9) == [tokenizer.startID, tokenizer.endID])
    }
  }

  @Test func idsLieInTheVocabulary() {
    for tokenizer in [openCLIP, clip, bert] as [any Tokenizer] {
      for text in goldens.texts {
        #expect(
          tokenizer.encode(text, limit: .max).allSatisfy {
            (0..<Int32(tokenizer.vocabularySize)).contains($0)
          })
      }
    }
  }

  @Test(arguments: ["clip/tokenizer.json", "bert/lower/tokenizer.json"])
  func addedTokensCountToTheVocabulary(_ name: String) throws {
    let text = String(decoding: try TokenizerGoldens.file(name), as: UTF8.self)
    let token = #""added_tokens": [{"id": 2000000, "content": "<far>", "normalized": false}, "#
    let added = Data(text.replacing(/"added_tokens":\s*\[/, with: token).utf8)
    let tokenizer: any Tokenizer =
      name.hasPrefix("clip")
      ? try BytePairTokenizer(tokenizerJSON: added) : try WordPieceTokenizer(tokenizerJSON: added)
    #expect(tokenizer.encode("a <far>", limit: 9).contains(2_000_000))
    #expect(tokenizer.vocabularySize == 2_000_001)
  }

  /// The ids are those of Hugging Face's tokenizers 0.23.
  @Test func addedTokensAreFoundInTheCleanedTextToo() throws {
    let text = String(
      decoding: try TokenizerGoldens.file("bert/lower/tokenizer.json"), as: UTF8.self)
    let token = #""added_tokens": [{"id": 367, "content": "<É Cat>", "normalized": true}, "#
    let added = Data(text.replacing(/"added_tokens":\s*\[/, with: token).utf8)
    let tokenizer = try WordPieceTokenizer(tokenizerJSON: added)
    let known: [(String, [Int32])] = [
      ("a <e cat> it", [2, 5, 367, 10, 3]), ("a<É CAT>it", [2, 5, 367, 10, 3]),
      ("a <e  cat>", [2, 5, 54, 18, 9, 55, 3]), ("x<E Cat><e cat>", [2, 21, 367, 367, 3]),
    ]
    for (text, ids) in known { #expect(tokenizer.encode(text, limit: 9) == ids) }
  }

  @Test func hostileCaptionsCostNoMoreThanTheirLength() {
    let hostile = [
      String(repeating: "ab", count: 100_000), String(repeating: "\u{301}\u{323}", count: 50_000),
      String(repeating: "&", count: 200_000), String(repeating: "\u{C3}\u{A9}", count: 50_000),
      "a" + String(repeating: "\u{3A3}:", count: 50_000),
      String(repeating: "\u{1B}[1", count: 50_000),
    ]
    let began = ContinuousClock.now
    for text in hostile {
      for tokenizer in [openCLIP, clip, bert] as [any Tokenizer] {
        #expect(tokenizer.encode(text, limit: 77).count <= 77)
      }
    }
    // Seconds where a quadratic step would take many minutes.
    #expect(ContinuousClock.now - began < .seconds(60))
  }

  @Test func longWordsMergeAsShortOnesDo() {
    var table = MergeTable(capacity: 64)
    for rank in Int32(0)..<64 {
      table.insert(rank % 8, rank / 8, rank: (rank * 37) % 64, id: rank % 12)
    }
    var state: UInt32 = 7
    for length in 0..<200 {
      var scanned: [Int32] = (0..<length).map { _ in
        state = state &* 1_664_525 &+ 1_013_904_223
        return Int32(state >> 24) % 12
      }
      var heaped = scanned
      table.applyByScanning(to: &scanned)
      table.applyByHeap(to: &heaped)
      #expect(scanned == heaped)
    }
  }

  @Test func filesOfOtherKindsAreRefused() throws {
    #expect(throws: TokenizerError.self) {
      try BytePairTokenizer(tokenizerJSON: TokenizerGoldens.file("bert/lower/tokenizer.json"))
    }
    #expect(throws: TokenizerError.self) {
      try WordPieceTokenizer(tokenizerJSON: TokenizerGoldens.file("clip/tokenizer.json"))
    }
    #expect(throws: TokenizerError.missingToken(file: "vocab.txt", token: "[UNK]")) {
      try WordPieceTokenizer(vocabulary: Data("a\nb\n".utf8))
    }
    #expect(throws: TokenizerError.missingToken(file: "vocab.json", token: "<|startoftext|>")) {
      try BytePairTokenizer(vocabulary: Data("{\"a\": 0}".utf8), merges: Data())
    }
    for broken in ["", "{", "{\"a\" 0}", "[1, 2", "\"\\u12", String(repeating: "[", count: 10_000)]
    {
      #expect(throws: TokenizerError.self) {
        try BytePairTokenizer(tokenizerJSON: Data(broken.utf8))
      }
    }
  }

  /// The longest word that is cut takes its length to the third power.
  @Test func aTokenizerOfEndlessWordsIsRefused() throws {
    let text = String(
      decoding: try TokenizerGoldens.file("bert/lower/tokenizer.json"), as: UTF8.self)
    for (longest, isRead) in [("1000", true), ("1001", false), ("2147483647", false)] {
      let changed = text.replacing(
        "\"max_input_chars_per_word\": 100", with: "\"max_input_chars_per_word\": \(longest)")
      #expect(changed != text)
      #expect(((try? WordPieceTokenizer(tokenizerJSON: Data(changed.utf8))) != nil) == isRead)
    }
  }

  @Test func anErrorDoesNotRepeatTheFile() throws {
    let line = String(repeating: "n", count: 100_000)
    let error = #expect(throws: TokenizerError.self) {
      try BytePairTokenizer(openCLIPMerges: Data("#\n\(line)\n".utf8))
    }
    #expect(try #require(error).description.utf8.count < 1100)
  }

  @Test func canonicallyEquivalentTokensAreDifferentOnes() throws {
    let lines = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "\u{E9}", "e\u{301}", "\u{2126}", "\u{3A9}"]
    let configuration = Data(#"{"do_lower_case": false}"#.utf8)
    let tokenizer = try WordPieceTokenizer(
      vocabulary: Data(lines.joined(separator: "\n").utf8), configuration: configuration)
    #expect(tokenizer.vocabularySize == 8)
    for (id, token) in lines.enumerated().dropFirst(4) {
      #expect(tokenizer.encode(token, limit: 9) == [2, Int32(id), 3])
    }
  }

  /// Each pass over it repairs the last two characters: a caption of 64 KiB would take half an hour.
  @Test(.timeLimit(.minutes(5))) func aCaptionThatIsRepairedForEverIsLeftAsItIs() {
    let hostile = String(repeating: "\u{C2}", count: 32_000) + "\u{A9}"
    let fixed = fixText(Array(hostile.unicodeScalars))
    #expect(fixed.count > 20_000 && fixed.count < 32_001)
    // A usual one isn't.
    let usual = String(repeating: "\u{C2}", count: 20) + "\u{A9}"
    #expect(String(scalars: fixText(Array(usual.unicodeScalars))) == "\u{A9}")
  }
}
