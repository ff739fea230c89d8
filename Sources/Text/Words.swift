import Foundation

/// A token's text, and whether character n-grams say more about it (not for single ideographs).
struct Word: Equatable {
  var text: String
  var hasGrams: Bool
}

/// Case-folded, compatibility-composed (NFKC) runs of letters, marks and digits. Scripts written without spaces
/// (CJK ideographs, kana; Hangul is spaced) give each character and each pair of neighbours as a token.
///
/// - Parameter limit: words beyond this many are left out, and what follows them is not looked at.
func words(of caption: String, limit: Int = .max) -> [Word] {
  var result: [Word] = []
  var run = String.UnicodeScalarView()
  var previousIdeograph: Unicode.Scalar?
  func flush() {
    if !run.isEmpty { result.append(Word(text: String(run), hasGrams: true)) }
    run = String.UnicodeScalarView()
  }
  let composed = NormalForm.compatible.of(Array(beginning(of: caption).unicodeScalars))
  let folded = String(scalars: composed).lowercased()
  for scalar in folded.unicodeScalars {
    guard result.count < limit else { break }
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
  return Array(result.prefix(limit))
}

/// What is read of a caption: all of it up to 16 KiB, else as many whole scalars as these hold.
private func beginning(of caption: String) -> String {
  let bytes = caption.utf8
  guard var end = bytes.index(bytes.startIndex, offsetBy: 16 << 10, limitedBy: bytes.endIndex)
  else { return caption }
  while end.samePosition(in: caption.unicodeScalars) == nil { end = bytes.index(before: end) }
  return String(caption[..<end])
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
