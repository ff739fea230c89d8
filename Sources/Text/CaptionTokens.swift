import Foundation

/// A caption cut into tokens, each a bag of hashed ids: the word itself and its character n-grams (fastText, Bojanowski
/// et al. 2017), so that no vocabulary has to be learnt and any language has tokens.
public struct CaptionTokens: Sendable, Equatable {
  /// The ids of all tokens, one after another.
  public var ids: [Int32]
  /// For each token, where it ends in `ids`.
  public var ends: [Int32]

  public init(ids: [Int32], ends: [Int32]) {
    self.ids = ids
    self.ends = ends
  }

  public var count: Int { ends.count }

  /// The ids of token `index`.
  public func token(_ index: Int) -> ArraySlice<Int32> {
    ids[(index == 0 ? 0 : Int(ends[index - 1]))..<Int(ends[index])]
  }
}

/// Cuts captions into `CaptionTokens`.
public struct HashedTokenizer: Sendable, Codable, Equatable {
  /// The number of rows that ids are hashed into.
  public var buckets: Int
  /// Lengths of the character n-grams taken from a word with its boundary marks.
  public var shortestGram = 3
  public var longestGram = 5
  /// Tokens beyond this many are left out.
  public var maxTokens: Int

  public init(buckets: Int, maxTokens: Int) {
    self.buckets = buckets
    self.maxTokens = maxTokens
  }

  public func tokens(of caption: String) -> CaptionTokens {
    var result = CaptionTokens(ids: [], ends: [])
    for word in words(of: caption).prefix(maxTokens) {
      result.ids.append(bucket(word.text.utf8, salt: 1))
      if word.hasGrams { appendGrams(of: word.text, to: &result.ids) }
      result.ends.append(Int32(result.ids.count))
    }
    // A caption without words has a token of its own: the embedding of nothing would have no direction.
    return result.count > 0 ? result : CaptionTokens(ids: [bucket([], salt: 3)], ends: [1])
  }

  private func appendGrams(of word: String, to ids: inout [Int32]) {
    let marked = Array("<\(word)>".unicodeScalars)
    guard marked.count > shortestGram else { return }
    for length in shortestGram...longestGram where length < marked.count {
      for start in 0...(marked.count - length) {
        var gram = String.UnicodeScalarView()
        gram.append(contentsOf: marked[start..<(start + length)])
        ids.append(bucket(String(gram).utf8, salt: 2))
      }
    }
  }

  /// FNV-1a with a final mix, reduced to the buckets.
  private func bucket(_ bytes: some Collection<UInt8>, salt: UInt64) -> Int32 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325 ^ (salt &* 0x9E37_79B9_7F4A_7C15)
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    hash = (hash ^ (hash >> 32)) &* 0xD6E8_FEB8_6659_FD93
    return Int32((hash ^ (hash >> 32)) % UInt64(buckets))
  }
}

/// A token's text, and whether character n-grams say more about it (not for single ideographs).
struct Word: Equatable {
  var text: String
  var hasGrams: Bool
}

/// Case-folded, compatibility-composed (NFKC) runs of letters, marks and digits. Scripts written without spaces
/// (CJK ideographs, kana, Hangul is spaced) give each character and each pair of neighbours as a token.
func words(of caption: String) -> [Word] {
  var result: [Word] = []
  var run = String.UnicodeScalarView()
  var previousIdeograph: Unicode.Scalar?
  func flush() {
    if !run.isEmpty { result.append(Word(text: String(run), hasGrams: true)) }
    run = String.UnicodeScalarView()
  }
  let folded = caption.precomposedStringWithCompatibilityMapping.lowercased()
  for scalar in folded.unicodeScalars {
    if isUnspaced(scalar) {
      flush()
      result.append(Word(text: String(Character(scalar)), hasGrams: false))
      if let previous = previousIdeograph {
        var pair = String.UnicodeScalarView()
        pair.append(previous)
        pair.append(scalar)
        result.append(Word(text: String(pair), hasGrams: false))
      }
      previousIdeograph = scalar
      continue
    }
    previousIdeograph = nil
    let properties = scalar.properties
    switch properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter,
      .nonspacingMark, .spacingMark, .decimalNumber, .letterNumber:
      run.append(scalar)
    case .otherSymbol where properties.isEmojiPresentation:
      flush()
      result.append(Word(text: String(Character(scalar)), hasGrams: false))
    default:
      flush()
    }
  }
  flush()
  return result
}

/// Ideographs and kana, and the South-East Asian scripts that are written without spaces.
private func isUnspaced(_ scalar: Unicode.Scalar) -> Bool {
  switch scalar.value {
  case 0x0E00...0x0EFF, 0x1000...0x109F, 0x1780...0x17FF,  // Thai, Lao, Burmese, Khmer
    0x3040...0x30FF, 0x31F0...0x31FF,  // kana
    0x3400...0x4DBF, 0x4E00...0x9FFF, 0xF900...0xFAFF,  // CJK
    0x20000...0x323AF:
    return true
  default:
    return false
  }
}
