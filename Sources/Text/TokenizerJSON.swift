import Foundation

/// What Hugging Face's `tokenizer.json` says, as far as byte-pair tokenizers of CLIP's kind and BERT's WordPiece go. The
/// two initialisers refuse what they would read differently from the original.
private let file = "tokenizer.json"

private func unsupported(_ what: String) -> TokenizerError { .unsupported(file: file, what: what) }

/// The parts of a normalizer or pre-tokenizer, with those of its sequence in their order.
private func parts(_ json: JSONValue?, list: String) -> [(type: String, json: JSONValue)] {
  guard let json else { return [] }
  let type = json["type"]?.text ?? ""
  guard type == "Sequence" else { return [(type, json)] }
  return (json[list]?.elements ?? []).flatMap { parts($0, list: list) }
}

/// The tokens that a post-processor puts before and after one text.
private func ends(_ json: JSONValue?) throws -> (start: String, end: String) {
  switch json?["type"]?.text {
  case "RobertaProcessing", "BertProcessing":
    if let start = json?["cls"]?.elements?.first?.text,
      let end = json?["sep"]?.elements?.first?.text
    {
      return (start, end)
    }
  case "TemplateProcessing":
    let template = json?["single"]?.elements ?? []
    if template.count == 3, let start = template[0]["SpecialToken"]?["id"]?.text,
      template[1]["Sequence"] != nil, let end = template[2]["SpecialToken"]?["id"]?.text
    {
      return (start, end)
    }
  default: break
  }
  throw unsupported("texts without a start and an end token")
}

extension BytePairTokenizer {
  private static let words = #"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"#
  private static let specialsAndWords = #"<\|startoftext\|>|<\|endoftext\|>|"# + words

  /// Reads the contents of a `tokenizer.json` of a CLIP model.
  ///
  /// - Throws: `TokenizerError`.
  public init(tokenizerJSON: Data) throws {
    let json = try JSONReader.read(Array(tokenizerJSON), file: file)
    guard let model = json["model"], model["type"]?.text == "BPE" else {
      throw unsupported("a model that is no BPE")
    }
    guard model["end_of_word_suffix"]?.text == "</w>" else {
      throw unsupported("byte pairs without an end-of-word mark")
    }
    guard (model["continuing_subword_prefix"]?.text ?? "").isEmpty else {
      throw unsupported("a prefix of continuing tokens")
    }
    let normalizer = parts(json["normalizer"], list: "normalizers").map(\.type)
    guard normalizer == ["NFC", "Replace", "Lowercase"] else {
      throw unsupported("normalization by \(normalizer.joined(separator: ", "))")
    }
    let cuts = parts(json["pre_tokenizer"], list: "pretokenizers")
    let pattern = cuts.first?.json["pattern"]?["Regex"]?.text
    guard cuts.map(\.type) == ["Split", "ByteLevel"],
      pattern == Self.words || pattern == Self.specialsAndWords,
      cuts[1].json["add_prefix_space"]?.flag != true
    else { throw unsupported("words cut by another expression than CLIP's") }

    let (start, end) = try ends(json["post_processor"])
    let tokens = try Self.tokens(model["vocab"], file: file)
    let pairs = try (model["merges"]?.elements ?? []).map { merge in
      if let line = merge.bytes { return try Self.pair(line[...], file: file) }
      let names = (merge.elements ?? []).compactMap(\.bytes)
      guard names.count == 2 else {
        throw TokenizerError.malformed(file: file, reason: "a merge that is no pair")
      }
      return (left: names[0], right: names[1])
    }
    let endID = try Self.id(of: end, in: tokens, file: file)
    let unknown = model["unk_token"]?.bytes.flatMap { tokens[$0] }
    self.init(
      vocabulary: try BytePairVocabulary(
        tokens: tokens, mergedPairs: pairs, unknown: unknown, file: file),
      cleaning: .huggingFace, start: try Self.id(of: start, in: tokens, file: file), end: endID,
      pad: json["padding"]?["pad_id"]?.id ?? endID, mask: tokens[Array(Self.maskToken.utf8)],
      added: try AddedTokens(json: json, file: file),
      specials: pattern == Self.words
        ? .none : .cutAgain([Self.startToken, Self.endToken].map { Array($0.utf8) }))
  }
}

extension WordPieceTokenizer {
  /// Reads the contents of a `tokenizer.json` of a BERT model.
  ///
  /// - Throws: `TokenizerError`.
  public init(tokenizerJSON: Data) throws {
    let json = try JSONReader.read(Array(tokenizerJSON), file: file)
    guard let model = json["model"], model["type"]?.text ?? "WordPiece" == "WordPiece" else {
      throw unsupported("a model that is no WordPiece")
    }
    let normalizer = parts(json["normalizer"], list: "normalizers")
    guard normalizer.map(\.type) == ["BertNormalizer"], let bert = normalizer.first?.json else {
      throw unsupported(
        "normalization by \(normalizer.map(\.type).joined(separator: ", ")) instead of BertNormalizer"
      )
    }
    guard parts(json["pre_tokenizer"], list: "pretokenizers").map(\.type) == ["BertPreTokenizer"]
    else { throw unsupported("words cut otherwise than by BertPreTokenizer") }
    guard try ends(json["post_processor"]) == ("[CLS]", "[SEP]") else {
      throw unsupported("texts between other tokens than [CLS] and [SEP]")
    }
    let lowercases = bert["lowercase"]?.flag ?? true
    let longest: Int32? = model["max_input_chars_per_word"]?.id
    // The search for the pieces of a word takes its length to the third power.
    guard longest ?? 0 <= 1000 else { throw unsupported("words of more than 1000 characters") }
    try self.init(
      pieces: try BytePairTokenizer.tokens(model["vocab"], file: file),
      normalizer: BertNormalizer(
        cleansText: bert["clean_text"]?.flag ?? true,
        spacesIdeographs: bert["handle_chinese_chars"]?.flag ?? true,
        stripsAccents: bert["strip_accents"]?.flag ?? lowercases, lowercases: lowercases),
      prefix: model["continuing_subword_prefix"]?.text ?? "##",
      unknown: model["unk_token"]?.text ?? "[UNK]", longestWord: longest.map(Int.init) ?? 100,
      added: try AddedTokens(json: json, file: file), file: file)
  }
}
