import Foundation

/// What BERT's tokenizer does to a text before it looks for pieces of words, as Hugging Face's `BertNormalizer` and
/// `BertPreTokenizer` do it. Their tables of categories are those of Unicode 8 (the crate unicode_categories); scalars that
/// came later are nothing in particular to them.
struct BertNormalizer: Sendable, Equatable {
  /// Control characters go, white space becomes a space.
  var cleansText = true
  /// Ideographs are words of their own.
  var spacesIdeographs = true
  var stripsAccents = true
  var lowercases = true

  /// The words of a normalized text: runs between white space, each punctuation mark by itself.
  static func words(of normalized: [Unicode.Scalar]) -> [[Unicode.Scalar]] {
    var words: [[Unicode.Scalar]] = []
    var word: [Unicode.Scalar] = []
    func flush() {
      if !word.isEmpty { words.append(word) }
      word = []
    }
    for scalar in normalized {
      if ScalarClass(scalar) == .space {
        flush()
      } else if isPunctuation(scalar) {
        flush()
        words.append([scalar])
      } else {
        word.append(scalar)
      }
    }
    flush()
    return words
  }

  func normalized(_ text: String) -> [Unicode.Scalar] {
    var scalars: [Unicode.Scalar] = []
    scalars.reserveCapacity(text.utf8.count)
    for scalar in text.unicodeScalars {
      if cleansText && Self.isRemoved(scalar) { continue }
      if cleansText && ScalarClass(scalar) == .space {
        scalars.append(" ")
      } else if spacesIdeographs && Self.isIdeograph(scalar) {
        scalars += [" ", scalar, " "]
      } else {
        scalars.append(scalar)
      }
    }
    if stripsAccents && !scalars.allSatisfy(\.isASCII) {
      scalars = NormalForm.decomposed.of(scalars)
      scalars.removeAll(where: Self.isAccent)
    }
    guard lowercases else { return scalars }
    var result: [Unicode.Scalar] = []
    result.reserveCapacity(scalars.count)
    for scalar in scalars {
      if scalar.isASCII {
        result.append(Unicode.Scalar(asciiLowercased(UInt8(scalar.value))))
      } else {
        result += scalar.properties.lowercaseMapping.unicodeScalars
      }
    }
    return result
  }

  private static func isKnown(_ properties: Unicode.Scalar.Properties) -> Bool {
    properties.age.map { $0.major <= 8 } ?? false
  }

  /// NUL, the replacement character, and control, format and private-use characters, but not tab and line ends.
  static func isRemoved(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.value >= 0x20 && scalar.value < 0x7F { return false }
    if scalar == "\u{FFFD}" { return true }
    if scalar == "\t" || scalar == "\n" || scalar == "\r" { return false }
    switch scalar.properties.generalCategory {
    case .control, .privateUse: return true
    case .format: return isKnown(scalar.properties)
    default: return false
    }
  }

  static func isPunctuation(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.isASCII {
      switch scalar.value {
      case 0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E: return true
      default: return false
      }
    }
    // Punctuation in Unicode 8, but not any more.
    if scalar.value == 0x166D || scalar.value == 0x111C9 { return true }
    switch scalar.properties.generalCategory {
    case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation,
      .initialPunctuation, .finalPunctuation, .otherPunctuation:
      return isKnown(scalar.properties)
    default:
      return false
    }
  }

  static func isAccent(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case ..<0x300: return false
    case 0x1734: return true  // a nonspacing mark in Unicode 8, and these four became one later
    case 0x1885, 0x1886, 0xA9BD, 0x111C9: return false
    default:
      let properties = scalar.properties
      return properties.generalCategory == .nonspacingMark && isKnown(properties)
    }
  }

  /// The ranges of the original, with its slip (2B920 where the block begins at 2B820).
  static func isIdeograph(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x4E00...0x9FFF, 0x3400...0x4DBF, 0x20000...0x2A6DF, 0x2A700...0x2B73F, 0x2B740...0x2B81F,
      0x2B920...0x2CEAF, 0xF900...0xFAFF, 0x2F800...0x2FA1F:
      return true
    default:
      return false
    }
  }
}
