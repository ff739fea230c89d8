import Foundation

/// Cuts captions into ids of a learnt vocabulary, as the model that they are for was trained with.
public protocol Tokenizer: Sendable {
  /// The number of rows that an embedding table for these ids needs.
  var vocabularySize: Int { get }
  /// The id that begins every caption.
  var startID: Int32 { get }
  /// The id that ends every caption, cut ones too.
  var endID: Int32 { get }
  /// What shorter captions of a batch are filled up with.
  var padID: Int32 { get }
  /// What stands for a hidden token in masked-language-model training, where the vocabulary has one.
  var maskID: Int32? { get }

  /// The ids of `text` between the start and the end id, not padded.
  ///
  /// - Parameter limit: at most this many ids come back, start and end included: of longer texts the beginning.
  func encode(_ text: String, limit: Int) -> [Int32]
}

/// Why a tokenizer file cannot be used.
public enum TokenizerError: Error, Equatable, CustomStringConvertible {
  /// The text of `file` isn't what its format says; `reason` tells where.
  case malformed(file: String, reason: String)
  /// A token that the tokenizer cannot work without is missing from the vocabulary.
  case missingToken(file: String, token: String)
  /// `tokenizer.json` asks for something that is not implemented here.
  case unsupported(file: String, what: String)

  /// What is named of the file may be as long as the file: the beginning says enough.
  public var description: String {
    text.utf8.count <= 1000 ? text : text.prefix(1000) + "..."
  }

  private var text: String {
    switch self {
    case .malformed(let file, let reason):
      "\(file) is not a tokenizer file: \(reason). Take the file again from where the model came from"
    case .missingToken(let file, let token):
      "\(file) has no token \(token): its vocabulary belongs to another kind of tokenizer"
    case .unsupported(let file, let what):
      "\(file) asks for \(what), which Winnow does not have: CLIP's byte-pair and BERT's WordPiece tokenizers are known"
    }
  }
}

/// Room for `limit` ids: the beginning of a text and its end id, as CLIP and BERT both cut.
func closed(_ ids: [Int32], end: Int32, limit: Int) -> [Int32] {
  guard limit > 0 else { return [] }
  return ids.prefix(limit - 1) + [end]
}
