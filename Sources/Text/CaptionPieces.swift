/// Cuts a cleaned caption as CLIP's regular expression does:
/// `SPECIAL|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+`. A piece is the range of its bytes.
struct CaptionPieces: Sendable {
  /// How the special tokens in the expression are treated where it meets them (at the start of a piece only).
  enum Specials: Sendable {
    /// The expression holds none.
    case none
    /// OpenCLIP: a special token of the text becomes that id.
    case tokens([(content: [UInt8], id: Int32)])
    /// Hugging Face: a piece of its own, which its second expression (GPT-2's) cuts again between letters and the rest.
    case cutAgain([[UInt8]])
  }

  enum Piece: Equatable {
    case word(Range<Int>)
    case special(Int32)
  }

  var specials: Specials
  /// OpenCLIP ignores case, by which the long s (U+017F) is an s, which no lowercasing changes.
  var ignoresCase: Bool

  /// Calls `body` with every piece until it returns false.
  func read(_ bytes: Span<UInt8>, _ body: (Piece) -> Bool) {
    var position = 0
    while position < bytes.count {
      let first = bytes[position]
      if first == 0x20 {
        position += 1
        continue
      }
      if first == UInt8(ascii: "<") {
        guard let length = readSpecial(bytes, at: position, body) else { return }
        position += length
        if length > 0 { continue }
      }
      if first == UInt8(ascii: "'"), let length = contraction(bytes, at: position) {
        guard body(.word(position..<(position + length))) else { return }
        position += length
        continue
      }
      let kind = scalarClass(bytes, at: position)
      var end = position + kind.length
      if kind.class == .letter || kind.class == .other {
        while end < bytes.count {
          let following = scalarClass(bytes, at: end)
          guard following.class == kind.class else { break }
          end += following.length
        }
      }
      if kind.class != .space {
        guard body(.word(position..<end)) else { return }
      }
      position = end
    }
  }

  @inline(__always)
  private func scalarClass(_ bytes: Span<UInt8>, at index: Int) -> (class: ScalarClass, length: Int)
  {
    let (scalar, length) = scalar(at: index, of: bytes)
    return (ScalarClass(scalar), length)
  }

  /// The bytes of a special token here, 0 if there is none, nil if `body` wants no more.
  private func readSpecial(_ bytes: Span<UInt8>, at position: Int, _ body: (Piece) -> Bool) -> Int?
  {
    switch specials {
    case .none:
      return 0
    case .tokens(let tokens):
      for (content, id) in tokens {
        guard let length = match(content, bytes, at: position) else { continue }
        // Spelt with a long s it matches, but is no token: its bytes are merged like a word's.
        let piece: Piece =
          length == content.count ? .special(id) : .word(position..<(position + length))
        return body(piece) ? length : nil
      }
    case .cutAgain(let tokens):
      for content in tokens where match(content, bytes, at: position) != nil {
        let end = position + content.count
        var start = position
        while start < end {
          let isLetter = scalarClass(bytes, at: start).class == .letter
          var stop = start + 1
          while stop < end, (scalarClass(bytes, at: stop).class == .letter) == isLetter {
            stop += 1
          }
          guard body(.word(start..<stop)) else { return nil }
          start = stop
        }
        return content.count
      }
    }
    return 0
  }

  /// How many bytes of the text `content` takes, if it stands here.
  private func match(_ content: [UInt8], _ bytes: Span<UInt8>, at position: Int) -> Int? {
    var index = position
    for wanted in content {
      guard index < bytes.count else { return nil }
      if bytes[index] == wanted {
        index += 1
      } else if wanted == UInt8(ascii: "s"), isLongS(bytes, at: index) {
        index += 2
      } else {
        return nil
      }
    }
    return index - position
  }

  private func isLongS(_ bytes: Span<UInt8>, at index: Int) -> Bool {
    ignoresCase && index + 1 < bytes.count && bytes[index] == 0xC5 && bytes[index + 1] == 0xBF
  }

  /// The length of `'s`, `'t`, `'re`, `'ve`, `'m`, `'ll` or `'d`.
  private func contraction(_ bytes: Span<UInt8>, at position: Int) -> Int? {
    guard position + 1 < bytes.count else { return nil }
    let next = bytes[position + 1]
    switch next {
    case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"): return 2
    case UInt8(ascii: "r"), UInt8(ascii: "v"), UInt8(ascii: "l"):
      let last = next == UInt8(ascii: "l") ? UInt8(ascii: "l") : UInt8(ascii: "e")
      return position + 2 < bytes.count && bytes[position + 2] == last ? 3 : nil
    default: return isLongS(bytes, at: position + 1) ? 3 : nil
    }
  }
}
