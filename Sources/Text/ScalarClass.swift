/// What the tokenizers' regular expressions tell apart: `\p{L}`, `\p{N}`, `\s` and the rest.
enum ScalarClass: UInt8 {
  case other, letter, number, space

  init(_ scalar: Unicode.Scalar) {
    if scalar.value < UInt32(Self.table.count) {
      self = Self.table[Int(scalar.value)]
    } else {
      self.init(computing: scalar)
    }
  }

  /// The classes of the basic plane; elsewhere the properties are asked.
  private static let table: [ScalarClass] = (0..<0x10000).map { value in
    Unicode.Scalar(UInt32(value)).map { ScalarClass(computing: $0) } ?? .other
  }

  private init(computing scalar: Unicode.Scalar) {
    switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
      self = .letter
    case .decimalNumber, .letterNumber, .otherNumber:
      self = .number
    default:
      self = scalar.properties.isWhitespace ? .space : .other
    }
  }
}

/// The scalar at `index` of valid UTF-8, and how many bytes it takes.
@inline(__always)
func scalar(at index: Int, of bytes: Span<UInt8>) -> (scalar: Unicode.Scalar, length: Int) {
  let first = UInt32(bytes[index])
  if first < 0x80 { return (Unicode.Scalar(UInt8(first)), 1) }
  func tail(_ offset: Int) -> UInt32 { UInt32(bytes[index + offset]) & 0x3F }
  let value: UInt32
  let length: Int
  if first < 0xE0 {
    (value, length) = ((first & 0x1F) << 6 | tail(1), 2)
  } else if first < 0xF0 {
    (value, length) = ((first & 0x0F) << 12 | tail(1) << 6 | tail(2), 3)
  } else {
    (value, length) = ((first & 0x07) << 18 | tail(1) << 12 | tail(2) << 6 | tail(3), 4)
  }
  return (Unicode.Scalar(value) ?? "\u{FFFD}", length)
}

extension String {
  /// A string of these scalars.
  init(scalars: some Sequence<Unicode.Scalar>) {
    var view = UnicodeScalarView()
    view.append(contentsOf: scalars)
    self.init(view)
  }
}
