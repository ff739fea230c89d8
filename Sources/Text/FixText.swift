import Foundation

/// Python's ftfy 6.3.1 `fix_text` with its default settings, which OpenCLIP runs over every caption: HTML entities,
/// mojibake, ligatures, widths, quotes, line breaks, terminal escapes, control characters, NFC.
func fixText(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
  var result: [Unicode.Scalar] = []
  result.reserveCapacity(text.count)
  // Once there is a "<", this is HTML, whose entities stay.
  var unescapes = true
  var position = 0
  while position < text.count {
    let line = text[position...].firstIndex(of: "\n").map { $0 + 1 } ?? text.count
    let end = min(line, position + 1_000_000)
    let segment = Array(text[position..<end])
    if segment.contains("<") { unescapes = false }
    result += FixText.fixedSegment(segment, unescapes: unescapes)
    position = end
  }
  return result
}

private enum FixText {
  static func fixedSegment(_ segment: [Unicode.Scalar], unescapes: Bool) -> [Unicode.Scalar] {
    var text = segment
    // A repair takes a few passes; a caption may be made to take as many as it has characters.
    var effort = 50 * segment.count
    // What is escaped more often than that is meant to keep somebody busy.
    for _ in 0..<100 {
      let original = text
      if unescapes && text.contains("&") { text = entitiesReplaced(text) }
      if !text.allSatisfy(\.isASCII) {
        text = Mojibake.c1ControlsFixed(Mojibake.fixed(text, effort: &effort)).flatMap(replacement)
      }
      text = controlsRemoved(escapesRemoved(lineBreaksFixed(text)))
      if !text.allSatisfy({ $0.value < 0x300 }) {
        text = NormalForm.composed.of(text)
      }
      if text == original { return text }
    }
    return text
  }

  /// Latin ligatures, full and half width, and curly quotes.
  private static func replacement(_ scalar: Unicode.Scalar) -> [Unicode.Scalar] {
    switch scalar.value {
    case ..<0x132: return [scalar]
    case 0x2BC, 0x2018...0x201B: return ["'"]
    case 0x201C...0x201F: return ["\""]
    case 0x3000: return [" "]
    default:
      if let letters = ligatures[scalar] { return Array(letters.unicodeScalars) }
      guard (0xFF01..<0xFFF0).contains(scalar.value) else { return [scalar] }
      let standard = String(Character(scalar)).precomposedStringWithCompatibilityMapping
      return Array(standard.unicodeScalars)
    }
  }

  /// Afrikaans ŉ becomes ʼn and then, its quote straightened, 'n.
  private static let ligatures: [Unicode.Scalar: String] = [
    "Ĳ": "IJ", "ĳ": "ij", "ŉ": "'n", "Ǳ": "DZ", "ǲ": "Dz", "ǳ": "dz", "Ǆ": "DŽ", "ǅ": "Dž",
    "ǆ": "dž",
    "Ǉ": "LJ", "ǈ": "Lj", "ǉ": "lj", "Ǌ": "NJ", "ǋ": "Nj", "ǌ": "nj", "\u{FB00}": "ff",
    "\u{FB01}": "fi", "\u{FB02}": "fl", "\u{FB03}": "ffi", "\u{FB04}": "ffl", "\u{FB05}": "ſt",
    "\u{FB06}": "st",
  ]

  private static func lineBreaksFixed(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
    var result: [Unicode.Scalar] = []
    result.reserveCapacity(text.count)
    for (index, scalar) in text.enumerated() {
      switch scalar {
      case "\r": if index + 1 == text.count || text[index + 1] != "\n" { result.append("\n") }
      case "\u{85}", "\u{2028}", "\u{2029}": result.append("\n")
      default: result.append(scalar)
      }
    }
    return result
  }

  /// `ESC [ digits ; ... letter`: colours of a terminal.
  private static func escapesRemoved(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
    guard text.contains("\u{1B}") else { return text }
    var result: [Unicode.Scalar] = []
    var position = 0
    while position < text.count {
      if text[position] == "\u{1B}", position + 1 < text.count, text[position + 1] == "[" {
        let last = text[(position + 2)...].firstIndex {
          $0 != ";" && $0.properties.generalCategory != .decimalNumber
        }
        if let last, text[last].isASCII, text[last].properties.isAlphabetic {
          position = last + 1
          continue
        }
      }
      result.append(text[position])
      position += 1
    }
    return result
  }

  private static func controlsRemoved(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
    text.filter { scalar in
      switch scalar.value {
      case 0...0x08, 0x0B, 0x0E...0x1F, 0x7F, 0x206A...0x206F, 0xFEFF, 0xFFF9...0xFFFC: false
      default: true
      }
    }
  }

  /// `&name;` and `&#number;`, and the names in capitals that can be told (ftfy's `unescape_html`).
  private static func entitiesReplaced(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
    var result: [Unicode.Scalar] = []
    var position = 0
    while position < text.count {
      if text[position] == "&", let end = entityEnd(text, from: position) {
        let entity = Array(text[position..<end])
        result += entityReplacement(entity) ?? entity
        position = end
      } else {
        result.append(text[position])
        position += 1
      }
    }
    return result
  }

  /// The end of `&#?[0-9A-Za-z]{1,24};`.
  private static func entityEnd(_ text: [Unicode.Scalar], from start: Int) -> Int? {
    var position = start + 1
    if position < text.count, text[position] == "#" { position += 1 }
    let name = position
    while position < text.count, position - name < 24, isAlphanumeric(text[position]) {
      position += 1
    }
    return position > name && position < text.count && text[position] == ";" ? position + 1 : nil
  }

  private static func isAlphanumeric(_ scalar: Unicode.Scalar) -> Bool {
    scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar))
  }

  private static func entityReplacement(_ entity: [Unicode.Scalar]) -> [Unicode.Scalar]? {
    let name = String(scalars: entity.dropFirst())
    if entity[1] == "#" {
      let unescaped = unescapedHTML(entity)
      return unescaped.contains(";") ? nil : unescaped
    }
    if let scalars = HTMLEntities.named[name] { return scalars }
    let lower = name.lowercased()
    guard name == lower.uppercased(), let scalars = HTMLEntities.named[lower],
      unescapedHTML(entity) == entity
    else { return nil }
    return Array(String(scalars: scalars).uppercased().unicodeScalars)
  }
}
