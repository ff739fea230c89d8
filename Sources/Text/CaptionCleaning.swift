import Foundation

/// What Hugging Face's fast CLIP tokenizer does before it cuts: NFC, then each scalar's lower case. (It also makes one
/// space of each run of white space, which changes nothing: no piece of a caption holds any.)
func huggingFaceCleaned(_ utf8: [UInt8]) -> [UInt8] {
  if utf8.allSatisfy({ $0 < 0x80 }) { return utf8.map(asciiLowercased) }
  var scalars = Array(String(decoding: utf8, as: UTF8.self).unicodeScalars)
  // Nothing below U+0300 composes.
  if !utf8.allSatisfy({ $0 < 0xCC }) { scalars = NormalForm.composed.of(scalars) }
  var result: [UInt8] = []
  result.reserveCapacity(utf8.count)
  for scalar in scalars { appendLowercased(scalar, to: &result) }
  return result
}

/// What OpenCLIP's `SimpleTokenizer` does before it cuts: `ftfy.fix_text`, `html.unescape` twice, `str.lower`.
func openCLIPCleaned(_ text: String) -> [UInt8] {
  let utf8 = Array(text.utf8)
  let isPlain = utf8.allSatisfy { byte in
    (byte >= 0x20 && byte < 0x7F && byte != UInt8(ascii: "&"))
      || (byte >= 0x09 && byte <= 0x0D && byte != 0x0B)
  }
  if isPlain { return utf8.map(asciiLowercased) }
  let fixed = fixText(Array(text.unicodeScalars))
  return pythonLowercased(unescapedHTML(unescapedHTML(fixed)))
}

@inline(__always)
func asciiLowercased(_ byte: UInt8) -> UInt8 { byte >= 0x41 && byte <= 0x5A ? byte + 32 : byte }

/// The scalar's full lower case, whatever stands around it (as in Rust's `char::to_lowercase`).
@inline(__always)
func appendLowercased(_ scalar: Unicode.Scalar, to bytes: inout [UInt8]) {
  if scalar.isASCII {
    bytes.append(asciiLowercased(UInt8(scalar.value)))
  } else if isUncased(scalar) {
    bytes.append(contentsOf: UTF8.encode(scalar) ?? encodedReplacement)
  } else {
    bytes.append(contentsOf: scalar.properties.lowercaseMapping.utf8)
  }
}

/// CJK, kana and Hangul, whose properties need not be asked.
@inline(__always)
private func isUncased(_ scalar: Unicode.Scalar) -> Bool {
  (0x3000...0xA63F).contains(scalar.value) || (0xAC00...0xD7A3).contains(scalar.value)
}

private let encodedReplacement = UTF8.encodedReplacementCharacter

/// Python's `str.lower`: scalar by scalar, except that a capital sigma at the end of a word becomes the final one.
func pythonLowercased(_ scalars: [Unicode.Scalar]) -> [UInt8] {
  var result: [UInt8] = []
  result.reserveCapacity(2 * scalars.count)
  for (index, scalar) in scalars.enumerated() {
    if scalar == "\u{3A3}" {
      let isCased: (Unicode.Scalar?) -> Bool = { $0?.properties.isCased ?? false }
      let before = scalars[..<index].last { !$0.properties.isCaseIgnorable }
      let after = scalars[(index + 1)...].first { !$0.properties.isCaseIgnorable }
      result += Array((isCased(before) && !isCased(after) ? "\u{3C2}" : "\u{3C3}").utf8)
    } else {
      appendLowercased(scalar, to: &result)
    }
  }
  return result
}
