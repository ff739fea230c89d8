import Foundation

extension BytePairTokenizer {
  static let startToken = "<|startoftext|>"
  static let endToken = "<|endoftext|>"
  static let maskToken = "<|mask|>"

  /// Reads Hugging Face's pair of files.
  ///
  /// - Parameters:
  ///   - vocabulary: the contents of `vocab.json`: the id of each token.
  ///   - merges: the contents of `merges.txt`: a line with the version, then a pair a line.
  /// - Throws: `TokenizerError`.
  public init(vocabulary: Data, merges: Data) throws {
    let file = "vocab.json"
    let tokens = try Self.tokens(try JSONReader.read(Array(vocabulary), file: file), file: file)
    var pairs: [(left: [UInt8], right: [UInt8])] = []
    for line in Array(merges).split(separator: 0x0A) where !line.starts(with: "#version".utf8) {
      let line = line.last == 0x0D ? line.dropLast() : line
      if !line.isEmpty { pairs.append(try Self.pair(line, file: "merges.txt")) }
    }
    try self.init(tokens: tokens, pairs: pairs, file: file)
  }

  /// Hugging Face's layout with CLIP's own special tokens.
  init(tokens: ByteTable, pairs: [(left: [UInt8], right: [UInt8])], file: String) throws {
    let start = try Self.id(of: Self.startToken, in: tokens, file: file)
    let end = try Self.id(of: Self.endToken, in: tokens, file: file)
    let names = [(Self.startToken, start), (Self.endToken, end)]
    self.init(
      vocabulary: try BytePairVocabulary(
        tokens: tokens, mergedPairs: pairs, unknown: end, file: "merges.txt"),
      cleaning: .huggingFace, start: start, end: end, pad: end,
      mask: tokens[Array(Self.maskToken.utf8)],
      added: AddedTokens(
        names.map { AddedTokens.Token(content: Array($0.utf8), id: $1, normalized: false) }),
      specials: .cutAgain(names.map { Array($0.0.utf8) }))
  }

  /// Reads the contents of OpenCLIP's `bpe_simple_vocab_16e6.txt.gz`, unpacked: a line with the version, then a pair a
  /// line; the vocabulary is the 256 bytes, the 256 bytes at the end of a word, the merges, and the two special tokens.
  ///
  /// - Throws: `TokenizerError`.
  public init(openCLIPMerges: Data) throws {
    let file = "bpe_simple_vocab_16e6.txt"
    var tokens = ByteTable()
    func add(_ token: [UInt8]) { tokens[token] = Int32(names) }
    var names = 0
    let bytes = ByteAlphabet.vocabularyOrder.map { ByteAlphabet.utf8[Int($0)] }
    for token in bytes + bytes.map({ $0 + BytePairVocabulary.endOfWord }) {
      add(token)
      names += 1
    }
    var pairs: [(left: [UInt8], right: [UInt8])] = []
    // The file holds more merges than the model was trained with.
    let lines = Array(openCLIPMerges).split(separator: 0x0A, omittingEmptySubsequences: false)
    for line in lines.dropFirst().prefix(49152 - 256 - 2) {
      if line.isEmpty {
        add([])
      } else {
        let pair = try Self.pair(line, file: file)
        pairs.append(pair)
        add(pair.left + pair.right)
      }
      names += 1
    }
    let (start, end) = (Int32(names), Int32(names + 1))
    let specials = [(Array("<start_of_text>".utf8), start), (Array("<end_of_text>".utf8), end)]
    for (content, id) in specials { tokens[content] = id }
    self.init(
      vocabulary: try BytePairVocabulary(
        tokens: tokens, mergedPairs: pairs, unknown: nil, file: file),
      cleaning: .openCLIP, start: start, end: end, pad: 0, mask: nil, added: AddedTokens([]),
      specials: .tokens(specials))
  }

  /// The contents of `vocab.json` and `merges.txt`, for `init(vocabulary:merges:)` and for Hugging Face's
  /// `CLIPTokenizerFast`. Tokens stand in the order of their ids.
  public func files() -> (vocabulary: Data, merges: Data) {
    var json: [UInt8] = [UInt8(ascii: "{")]
    for (name, id) in vocabulary.tokens.entries.sorted(by: { $0.id < $1.id }) {
      if json.count > 1 { json += Array(", ".utf8) }
      json += [UInt8(ascii: "\"")] + name.flatMap(Self.escaped) + Array("\": \(id)".utf8)
    }
    json += Array("}".utf8)
    var merges = Array("#version: 0.2\n".utf8)
    for (left, right) in vocabulary.mergedPairs {
      merges += left + [UInt8(ascii: " ")] + right + [UInt8(ascii: "\n")]
    }
    return (Data(json), Data(merges))
  }

  private static func escaped(_ byte: UInt8) -> [UInt8] {
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"): [UInt8(ascii: "\\"), byte]
    case 0..<0x20: Array(("\\u00" + (byte < 16 ? "0" : "") + String(byte, radix: 16)).utf8)
    default: [byte]
    }
  }

  static func id(of token: String, in tokens: ByteTable, file: String) throws -> Int32 {
    guard let id = tokens[Array(token.utf8)] else {
      throw TokenizerError.missingToken(file: file, token: token)
    }
    return id
  }

  static func tokens(_ json: JSONValue?, file: String) throws -> ByteTable {
    guard case .object(let members) = json else {
      throw TokenizerError.malformed(file: file, reason: "no object of tokens and ids")
    }
    var tokens = ByteTable()
    for (name, value) in members {
      guard let id = value.id else {
        let name = String(decoding: name, as: UTF8.self)
        throw TokenizerError.malformed(file: file, reason: "the id of \(name) is no whole number")
      }
      tokens[name] = id
    }
    return tokens
  }

  static func pair(_ line: ArraySlice<UInt8>, file: String) throws -> (
    left: [UInt8], right: [UInt8]
  ) {
    let parts = line.split(separator: UInt8(ascii: " "))
    guard parts.count == 2 else {
      let line = String(decoding: line, as: UTF8.self)
      throw TokenizerError.malformed(file: file, reason: "“\(line)” is no pair of tokens")
    }
    return (Array(parts[0]), Array(parts[1]))
  }
}

extension BytePairTokenizer: Codable {
  private enum CodingKeys: String, CodingKey { case vocabulary, merges }

  /// As the texts of `files()`; of tokenizers in Hugging Face's layout only.
  public func encode(to encoder: any Encoder) throws {
    let files = files()
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(String(decoding: files.vocabulary, as: UTF8.self), forKey: .vocabulary)
    try container.encode(String(decoding: files.merges, as: UTF8.self), forKey: .merges)
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    try self.init(
      vocabulary: Data(try container.decode(String.self, forKey: .vocabulary).utf8),
      merges: Data(try container.decode(String.self, forKey: .merges).utf8))
  }
}
