import Foundation

/// CLIP's tokenizer: byte-level byte-pair encoding of lower-cased words (Radford et al. 2021, section 2.4; Sennrich et al.
/// 2016). Its ids are those of Hugging Face's `CLIPTokenizerFast` or of OpenCLIP's `SimpleTokenizer`, depending on where
/// it was read from.
public struct BytePairTokenizer: Tokenizer {
  /// How captions are cleaned before they are cut.
  public enum Cleaning: String, Sendable, Codable {
    /// NFC, lower case scalar by scalar; `<|endoftext|>` in a caption is the token.
    case huggingFace
    /// ftfy's `fix_text`, HTML entities, lower case as in Python; `<end_of_text>` in a caption is the token.
    case openCLIP
  }

  public let cleaning: Cleaning
  public let startID: Int32
  public let endID: Int32
  public let padID: Int32
  public let maskID: Int32?
  let vocabulary: BytePairVocabulary
  private let added: AddedTokens
  private let addedToCleaned: AddedTokens
  private let pieces: CaptionPieces
  public let vocabularySize: Int

  init(
    vocabulary: BytePairVocabulary, cleaning: Cleaning, start: Int32, end: Int32, pad: Int32,
    mask: Int32?, added: AddedTokens, specials: CaptionPieces.Specials
  ) {
    self.vocabulary = vocabulary
    // Added tokens and the filling needn't be in the vocabulary proper.
    vocabularySize = max(vocabulary.size, added.size, Int(pad) + 1)
    self.cleaning = cleaning
    startID = start
    endID = end
    padID = pad
    maskID = mask
    self.added = added.only(normalized: false)
    addedToCleaned = added.only(normalized: true).cleaned(huggingFaceCleaned)
    pieces = CaptionPieces(specials: specials, ignoresCase: cleaning == .openCLIP)
  }

  public func encode(_ text: String, limit: Int) -> [Int32] {
    var ids = [startID]
    switch cleaning {
    case .openCLIP:
      append(openCLIPCleaned(text), to: &ids, limit: limit)
    case .huggingFace:
      let bytes = Array(text.utf8)
      for piece in added.split(bytes) where ids.count < limit {
        switch piece {
        case .token(let id): ids.append(id)
        case .text(let range):
          let cleaned = huggingFaceCleaned(Array(bytes[range]))
          for piece in addedToCleaned.split(cleaned) where ids.count < limit {
            switch piece {
            case .token(let id): ids.append(id)
            case .text(let range): append(Array(cleaned[range]), to: &ids, limit: limit)
            }
          }
        }
      }
    }
    return closed(ids, end: endID, limit: limit)
  }

  /// The words of `text` as Hugging Face's layout cuts them: what a vocabulary is learnt from.
  static func words(of text: String, _ body: (Span<UInt8>) -> Void) {
    let cleaned = huggingFaceCleaned(Array(text.utf8))
    CaptionPieces(specials: .none, ignoresCase: false).read(cleaned.span) { piece in
      if case .word(let range) = piece { body(cleaned.span.extracting(range)) }
      return true
    }
  }

  private func append(_ cleaned: [UInt8], to ids: inout [Int32], limit: Int) {
    var result = ids
    pieces.read(cleaned.span) { piece in
      switch piece {
      case .special(let id): result.append(id)
      case .word(let range): vocabulary.append(cleaned.span.extracting(range), to: &result)
      }
      return result.count < limit
    }
    ids = result
  }
}
