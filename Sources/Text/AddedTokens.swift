/// Tokens that are found in a text before anything else is done to it, such as `[SEP]`.
struct AddedTokens: Sendable {
  struct Token: Sendable {
    var content: [UInt8]
    var id: Int32
    /// Whether it is looked for in the cleaned text, rather than in the text as it came.
    var normalized: Bool
  }

  enum Piece: Equatable {
    case token(Int32)
    case text(Range<Int>)
  }

  private let tokens: [Token]
  private let beginnings: Set<UInt8>

  /// Longer tokens are found before their own beginnings.
  init(_ tokens: [Token]) {
    self.tokens = tokens.filter { !$0.content.isEmpty }.sorted {
      $0.content.count > $1.content.count
    }
    beginnings = Set(self.tokens.compactMap(\.content.first))
  }

  var isEmpty: Bool { tokens.isEmpty }

  /// The same, to be found in texts that were cleaned as `clean` does it: the originals clean these tokens too.
  func cleaned(_ clean: ([UInt8]) -> [UInt8]) -> AddedTokens {
    AddedTokens(
      tokens.map { Token(content: clean($0.content), id: $0.id, normalized: $0.normalized) })
  }

  /// One more than the highest id; 0 without tokens.
  var size: Int { Int(tokens.map(\.id).max() ?? -1) + 1 }

  /// The tokens of the raw or of the cleaned text alone.
  func only(normalized: Bool) -> AddedTokens {
    AddedTokens(tokens.filter { $0.normalized == normalized })
  }

  /// The tokens in `bytes`, and the stretches between them that aren't empty.
  func split(_ bytes: [UInt8]) -> [Piece] {
    if beginnings.isEmpty { return bytes.isEmpty ? [] : [.text(0..<bytes.count)] }
    var pieces: [Piece] = []
    var start = 0
    var position = 0
    while position < bytes.count {
      guard beginnings.contains(bytes[position]),
        let token = tokens.first(where: { bytes[position...].starts(with: $0.content) })
      else {
        position += 1
        continue
      }
      if start < position { pieces.append(.text(start..<position)) }
      pieces.append(.token(token.id))
      position += token.content.count
      start = position
    }
    if start < bytes.count { pieces.append(.text(start..<bytes.count)) }
    return pieces
  }

  /// Those that a `tokenizer.json` lists.
  init(json: JSONValue, file: String) throws {
    self.init(
      try (json["added_tokens"]?.elements ?? []).map { entry in
        guard let content = entry["content"]?.bytes, let id = entry["id"]?.id else {
          throw TokenizerError.malformed(file: file, reason: "an added token without content or id")
        }
        if entry["single_word"]?.flag == true {
          throw TokenizerError.unsupported(file: file, what: "single_word added tokens")
        }
        return Token(content: content, id: id, normalized: entry["normalized"]?.flag ?? true)
      })
  }
}
