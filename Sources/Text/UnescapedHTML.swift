/// Character references replaced by what they stand for, as Python's `html.unescape` does: by HTML 5's rules, which need no
/// semicolon after some names and after numbers.
func unescapedHTML(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
  guard text.contains("&") else { return text }
  var result: [Unicode.Scalar] = []
  result.reserveCapacity(text.count)
  var position = 0
  while position < text.count {
    if text[position] == "&",
      let (scalars, length) = HTMLEntities.number(text, at: position + 1)
        ?? HTMLEntities.name(text, at: position + 1)
    {
      result += scalars
      position += 1 + length
    } else {
      result.append(text[position])
      position += 1
    }
  }
  return result
}

enum HTMLEntities {
  /// By name; those with a semicolon have it in their names.
  static let named: [String: [Unicode.Scalar]] = {
    var named: [String: [Unicode.Scalar]] = [:]
    for group in htmlEntityNames.split(whereSeparator: \.isWhitespace) {
      let parts = group.split(separator: ":")
      guard parts.count == 2 else { continue }
      let scalars = parts[0].split(separator: "+").compactMap {
        UInt32($0, radix: 16).flatMap(Unicode.Scalar.init)
      }
      for name in parts[1].split(separator: ",") { named[name + ";"] = scalars }
    }
    for name in htmlEntitiesWithoutSemicolon.split(whereSeparator: \.isWhitespace) {
      named[String(name)] = named[name + ";"]
    }
    return named
  }()

  /// `#[0-9]+;?` or `#[xX][0-9a-fA-F]+;?`, and how many scalars it takes.
  static func number(_ text: [Unicode.Scalar], at start: Int) -> ([Unicode.Scalar], Int)? {
    var position = start
    guard position < text.count, text[position] == "#" else { return nil }
    position += 1
    let isHexadecimal = position < text.count && (text[position] == "x" || text[position] == "X")
    if isHexadecimal { position += 1 }
    let digits = position
    var value: UInt32 = 0
    while position < text.count, text[position].isASCII,
      let digit = Character(text[position]).hexDigitValue, isHexadecimal || digit < 10
    {
      value = min(0x110000, value * (isHexadecimal ? 16 : 10) + UInt32(digit))
      position += 1
    }
    guard position > digits else { return nil }
    if position < text.count, text[position] == ";" { position += 1 }
    return (scalars(value), position - start)
  }

  /// What HTML 5 makes of a number: Windows-1252 for C1 controls, nothing for other controls and noncharacters.
  private static func scalars(_ value: UInt32) -> [Unicode.Scalar] {
    switch value {
    case 0: return ["\u{FFFD}"]
    case 0x0D: return ["\r"]
    case 0x80...0x9F: return [SingleByteEncoding.windows1252Upper[Int(value) - 0x80]]
    case 0x01...0x08, 0x0B, 0x0E...0x1F, 0x7F, 0xFDD0...0xFDEF: return []
    default:
      guard let scalar = Unicode.Scalar(value) else { return ["\u{FFFD}"] }
      return value & 0xFFFE == 0xFFFE ? [] : [scalar]
    }
  }

  /// A name with its semicolon, or the longest beginning that is a name without.
  static func name(_ text: [Unicode.Scalar], at start: Int) -> ([Unicode.Scalar], Int)? {
    let reference = text[start...].prefix(32).prefix {
      !["\t", "\n", "\u{C}", " ", "<", "&", "#", ";"].contains($0)
    }
    let ascii = reference.prefix(while: \.isASCII)
    let end = start + reference.count
    if !reference.isEmpty, ascii.count == reference.count, end < text.count, text[end] == ";",
      let scalars = named[String(scalars: reference) + ";"]
    {
      return (scalars, reference.count + 1)
    }
    for length in stride(from: ascii.count, to: 1, by: -1) {
      if let scalars = named[String(scalars: ascii.prefix(length))] { return (scalars, length) }
    }
    return nil
  }
}
