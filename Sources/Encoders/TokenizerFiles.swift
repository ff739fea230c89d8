import Foundation
import TensorFiles
import Text

/// The tokenizer of a text encoder: hashed words, or the one whose file, or folder of files, lies at `vocabulary`.
///
/// - Throws: `PretrainedError`, `TokenizerError`, `TensorFileError`.
public func makeTokenizer(_ configuration: TextConfiguration) throws -> any CaptionTokenizer {
  let place = configuration.vocabulary ?? ""
  let tokenizer: any Tokenizer
  switch configuration.tokens {
  case .words:
    return HashedTokenizer(buckets: configuration.buckets, maxTokens: configuration.maxTokens)
  case .bytePairs: tokenizer = try TokenizerFiles(place).bytePairs()
  case .wordPieces: tokenizer = try TokenizerFiles(place).wordPieces()
  }
  guard tokenizer.vocabularySize <= configuration.vocabularySize else {
    throw PretrainedError.unreadable(
      file: place,
      reason: "its tokenizer has \(tokenizer.vocabularySize) tokens, the text encoder only "
        + "\(configuration.vocabularySize)")
  }
  return VocabularyTokenizer(
    tokenizer: tokenizer, limit: configuration.maxTokens,
    stopsAtEnd: configuration.tokens == .bytePairs)
}

extension TextConfiguration {
  /// The files at `vocabulary` that decide what its tokens are; none without a vocabulary, or where nothing is there.
  public var vocabularyFiles: [String] {
    guard tokens != .words, let vocabulary else { return [] }
    return TokenizerFiles(vocabulary).paths.filter(FileManager.default.fileExists)
  }
}

/// The files that a tokenizer is read from: those known in a folder, or one that is named.
struct TokenizerFiles {
  static let openCLIPNames = ["bpe_simple_vocab_16e6.txt.gz", "bpe_simple_vocab_16e6.txt"]
  static let names =
    openCLIPNames + [
      "tokenizer.json", "vocab.json", "merges.txt", "vocab.txt", "tokenizer_config.json",
    ]
  /// Far above the largest vocabularies there are.
  private static let limit = 64 << 20

  private let place: String
  private let isFolder: Bool

  init(_ place: String) {
    self.place = place
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: place, isDirectory: &isFolder)
    self.isFolder = exists && isFolder.boolValue
  }

  /// Those that are there.
  var paths: [String] {
    isFolder
      ? Self.names.map { "\(place)/\($0)" }.filter(FileManager.default.fileExists) : [place]
  }

  /// The file of this name, if it is there.
  private func path(_ name: String) -> String? {
    isFolder || (place as NSString).lastPathComponent == name
      ? paths.first { ($0 as NSString).lastPathComponent == name } : nil
  }

  private func data(_ name: String) throws(PretrainedError) -> Data? {
    guard let path = path(name) else { return nil }
    guard let data = FileManager.default.contents(atPath: path) else {
      throw .unreadable(file: path, reason: "it can't be read")
    }
    return data
  }

  func bytePairs() throws -> BytePairTokenizer {
    if let json = try data("tokenizer.json") { return try BytePairTokenizer(tokenizerJSON: json) }
    if let vocabulary = try data("vocab.json"), let merges = try data("merges.txt") {
      return try BytePairTokenizer(vocabulary: vocabulary, merges: merges)
    }
    if let packed = path(Self.openCLIPNames[0]) {
      return try BytePairTokenizer(openCLIPMerges: Data(unpackGzip(packed, limit: Self.limit)))
    }
    if let plain = try data(Self.openCLIPNames[1]) {
      return try BytePairTokenizer(openCLIPMerges: plain)
    }
    throw PretrainedError.noTokenizer(
      folder: place,
      wanted: "tokenizer.json, vocab.json and merges.txt, or bpe_simple_vocab_16e6.txt.gz")
  }

  func wordPieces() throws -> WordPieceTokenizer {
    if let json = try data("tokenizer.json") { return try WordPieceTokenizer(tokenizerJSON: json) }
    if let vocabulary = try data("vocab.txt") {
      return try WordPieceTokenizer(
        vocabulary: vocabulary, configuration: data("tokenizer_config.json"))
    }
    throw PretrainedError.noTokenizer(folder: place, wanted: "vocab.txt or tokenizer.json")
  }
}
