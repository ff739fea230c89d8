import Foundation

enum NormalForm {
  /// NFC
  case composed
  /// NFD
  case decomposed
  /// NFKC
  case compatible

  /// `scalars` in this form, in time that grows with their number. Foundation's functions take minutes for a hostile
  /// caption: they sort marks by insertion, so runs are put in order before, and replace in place, so they get pieces.
  func of(_ scalars: [Unicode.Scalar]) -> [Unicode.Scalar] {
    let ordered = canonicallyOrdered(scalars)
    guard ordered.count > Self.piece else { return foundation(ordered[...]) }
    var result: [Unicode.Scalar] = []
    result.reserveCapacity(ordered.count)
    var start = 0
    while start < ordered.count {
      var end = min(start + Self.piece, ordered.count)
      while end < ordered.count, !Self.begins(ordered[end]) { end += 1 }
      result += foundation(ordered[start..<end])
      start = end
    }
    return result
  }

  private static let piece = 2048

  private func foundation(_ scalars: ArraySlice<Unicode.Scalar>) -> [Unicode.Scalar] {
    let text = String(scalars: scalars)
    switch self {
    case .composed: return Array(text.precomposedStringWithCanonicalMapping.unicodeScalars)
    case .compatible: return Array(text.precomposedStringWithCompatibilityMapping.unicodeScalars)
    case .decomposed: return Array(text.decomposedStringWithCanonicalMapping.unicodeScalars)
    }
  }

  /// Whether the scalar is known to have nothing to do with what stands before it: Latin, Greek, Cyrillic, kana,
  /// ideographs, Hangul syllables.
  private static func begins(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case ..<0x300, 0x370...0x482, 0x3041...0x3096, 0x3400...0xA4CF, 0xAC00...0xD7A3: true
    default: false
    }
  }
}

/// `scalars` with each run of combining marks in canonical order, which changes no normal form.
private func canonicallyOrdered(_ scalars: [Unicode.Scalar]) -> [Unicode.Scalar] {
  func order(_ scalar: Unicode.Scalar) -> UInt8 {
    scalar.value < 0x300 ? 0 : scalar.properties.canonicalCombiningClass.rawValue
  }
  var result = scalars
  var position = 0
  while position < scalars.count {
    let start = position
    while position < scalars.count, order(scalars[position]) != 0 { position += 1 }
    if position - start > 1 {
      let run = scalars[start..<position].enumerated().sorted {
        (order($0.element), $0.offset) < (order($1.element), $1.offset)
      }
      for (place, mark) in run.enumerated() { result[start + place] = mark.element }
    }
    position += position == start ? 1 : 0
  }
  return result
}
