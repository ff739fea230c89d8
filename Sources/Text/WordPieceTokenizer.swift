import Foundation

/// BERT's tokenizer: words cut greedily into the longest pieces of a vocabulary (Devlin et al. 2019; Wu et al. 2016). Its
/// ids are those of Hugging Face's `BertTokenizerFast`.
public struct WordPieceTokenizer: Tokenizer {
  public let vocabularySize: Int
  /// `[CLS]`
  public let startID: Int32
  /// `[SEP]`
  public let endID: Int32
  /// `[PAD]`
  public let padID: Int32
  /// `[MASK]`
  public let maskID: Int32?
  let normalizer: BertNormalizer
  private let pieces: ByteTable
  /// Pieces that continue a word, without the `##` before their names.
  private let continuations: ByteTable
  /// Bytes of the longest piece: no longer one is looked for.
  private let longestPiece: Int
  private let unknownID: Int32
  private let longestWord: Int
  private let added: AddedTokens
  private let addedToCleaned: AddedTokens

  init(
    pieces: ByteTable, normalizer: BertNormalizer, prefix: String, unknown: String,
    longestWord: Int,
    added: AddedTokens?, file: String
  ) throws {
    func id(_ token: String) throws -> Int32 {
      try BytePairTokenizer.id(of: token, in: pieces, file: file)
    }
    self.pieces = pieces
    self.normalizer = normalizer
    self.longestWord = longestWord
    unknownID = try id(unknown)
    startID = try id("[CLS]")
    endID = try id("[SEP]")
    padID = try id("[PAD]")
    maskID = pieces[Array("[MASK]".utf8)]
    var continuations = ByteTable()
    let mark = Array(prefix.utf8)
    for (name, id) in pieces.entries where name.starts(with: mark) {
      continuations[Array(name.dropFirst(mark.count))] = id
    }
    self.continuations = continuations
    longestPiece = pieces.entries.map(\.key.count).max() ?? 0
    let special = ["[PAD]", unknown, "[CLS]", "[SEP]", "[MASK]"].compactMap { name in
      pieces[Array(name.utf8)].map {
        AddedTokens.Token(content: Array(name.utf8), id: $0, normalized: false)
      }
    }
    let added = added ?? AddedTokens(special)
    vocabularySize = max(Int(pieces.entries.map(\.id).max() ?? -1) + 1, added.size)
    self.added = added.only(normalized: false)
    addedToCleaned = added.only(normalized: true).cleaned { content in
      let text = String(decoding: content, as: UTF8.self)
      return Array(String(scalars: normalizer.normalized(text)).utf8)
    }
  }

  public func encode(_ text: String, limit: Int) -> [Int32] {
    var ids = [startID]
    let bytes = Array(text.utf8)
    for piece in added.split(bytes) where ids.count < limit {
      switch piece {
      case .token(let id): ids.append(id)
      case .text(let range):
        append(String(decoding: bytes[range], as: UTF8.self), to: &ids, limit: limit)
      }
    }
    return closed(ids, end: endID, limit: limit)
  }

  private func append(_ text: String, to ids: inout [Int32], limit: Int) {
    let cleaned = normalizer.normalized(text)
    if addedToCleaned.isEmpty {
      append(cleaned, to: &ids, limit: limit)
      return
    }
    let bytes = Array(String(scalars: cleaned).utf8)
    for piece in addedToCleaned.split(bytes) where ids.count < limit {
      switch piece {
      case .token(let id): ids.append(id)
      case .text(let range):
        let text = String(decoding: bytes[range], as: UTF8.self)
        append(Array(text.unicodeScalars), to: &ids, limit: limit)
      }
    }
  }

  private func append(_ cleaned: [Unicode.Scalar], to ids: inout [Int32], limit: Int) {
    for word in BertNormalizer.words(of: cleaned) {
      guard ids.count < limit else { return }
      append(word: word, to: &ids)
    }
  }

  /// The pieces of one word, or the unknown token if some part of it is in no piece.
  private func append(word: [Unicode.Scalar], to ids: inout [Int32]) {
    guard word.count <= longestWord else {
      ids.append(unknownID)
      return
    }
    let count = ids.count
    let bytes = Array(String(scalars: word).utf8)
    var start = 0
    while start < bytes.count {
      let table = start == 0 ? pieces : continuations
      var end = min(bytes.count, start + longestPiece)
      // Not within a scalar.
      while end < bytes.count, end > start, bytes[end] & 0xC0 == 0x80 { end -= 1 }
      var found: Int32?
      while end > start {
        found = table[bytes.span.extracting(start..<end)]
        if found != nil { break }
        // Back to the beginning of the scalar before.
        repeat { end -= 1 } while end > start && bytes[end] & 0xC0 == 0x80
      }
      guard let found else {
        ids.removeSubrange(count...)
        ids.append(unknownID)
        return
      }
      ids.append(found)
      start = end
    }
  }
}

extension WordPieceTokenizer {
  /// Reads BERT's vocabulary.
  ///
  /// - Parameters:
  ///   - vocabulary: the contents of `vocab.txt`: a token a line, numbered from 0.
  ///   - configuration: the contents of `tokenizer_config.json`, of which `do_lower_case`, `tokenize_chinese_chars` and
  ///     `strip_accents` are followed. Without it, lower case, spaced ideographs, no accents.
  /// - Throws: `TokenizerError`.
  public init(vocabulary: Data, configuration: Data? = nil) throws {
    var pieces = ByteTable()
    var lines = Array(vocabulary).split(separator: 0x0A, omittingEmptySubsequences: false)
    if lines.last?.isEmpty ?? false { lines.removeLast() }
    for (id, line) in lines.enumerated() {
      pieces[Array(line.last == 0x0D ? line.dropLast() : line)] = Int32(id)
    }
    let json = try configuration.map {
      try JSONReader.read(Array($0), file: "tokenizer_config.json")
    }
    let lowercases = json?["do_lower_case"]?.flag ?? true
    let normalizer = BertNormalizer(
      spacesIdeographs: json?["tokenize_chinese_chars"]?.flag ?? true,
      stripsAccents: json?["strip_accents"]?.flag ?? lowercases, lowercases: lowercases)
    try self.init(
      pieces: pieces, normalizer: normalizer, prefix: "##", unknown: "[UNK]", longestWord: 100,
      added: nil, file: "vocab.txt")
  }
}
