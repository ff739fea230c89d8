import Foundation
import Text

extension FuzzTarget {
  /// Captions, cleaned and cut by each kind of tokenizer.
  static let captions = FuzzTarget(
    "captions",
    seeds: {
      [
        "A caf\u{e9} &amp; a cat&#39;s \u{201C}hat\u{201D}, 12",
        "\u{C3}\u{A9}t\u{C3}\u{A9} \u{FB01}ne \u{FF21}\u{FF22}",
        "\u{202E}right to left\u{202C} \u{5D0}\u{5D1} \u{2066}x\u{2069}\0\u{1B}[1;31mred",
        "e\u{301}\u{323} \u{3A3}\u{391}\u{3A3} \u{1F468}\u{200D}\u{1F469} \u{AC00}\u{1112}\u{1161}",
        "<|endoftext|> [SEP] <end_of_text>\u{85}\u{2028}",
      ].map { Array($0.utf8) }
    },
    read: { bytes in
      guard let caption = String(validating: bytes, as: UTF8.self) else {
        return Outcome("text-not-utf8")
      }
      var digest = Digest()
      for tokenizer in try learntTokenizers.get() {
        try check(tokenizer, &digest, captions: [caption])
      }
      let words = HashedTokenizer(buckets: 64, maxTokens: 8).tokens(of: caption)
      try promise((1...8).contains(words.count), "\(words.count) words, not 1 to 8")
      try promise(words.ids.allSatisfy { (0..<64).contains($0) }, "ids lie in the buckets")
      for id in words.ids { digest.add(Int(id)) }
      return Outcome("read", digest.number)
    })

  private static let learntTokenizers: Result<[any Tokenizer], any Error> = Result {
    func file(_ name: String) throws -> Data { Data(try golden("TextTests/Goldens/\(name)")) }
    return [
      try BytePairTokenizer(openCLIPMerges: try file("open_clip.txt")),
      try BytePairTokenizer(tokenizerJSON: try file("clip/tokenizer.json")),
      try WordPieceTokenizer(vocabulary: try file("bert/vocab.txt")),
    ]
  }
}
