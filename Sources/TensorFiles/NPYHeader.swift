/// The dictionary at the start of an `.npy` file.
struct NPYHeader: Equatable {
  var descr: String
  var fortranOrder: Bool
  var shape: [Int]

  /// The bytes up to the data: magic, version 1.0, length, Python literal, padded to 64 with a
  /// newline at the end (numpy.lib.format, version 1.0).
  var encoded: [UInt8] { encoded(length: 0) }

  /// - Parameter length: bytes that the header has at least, a multiple of 64.
  func encoded(length: Int) -> [UInt8] {
    let extents = shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? "," : "")
    let order = fortranOrder ? "True" : "False"
    let literal = "{'descr': '\(descr)', 'fortran_order': \(order), 'shape': (\(extents)), }"
    var body = [UInt8](literal.utf8)
    let prefix = Self.magic.count + 4
    let padding = max(-(prefix + body.count + 1) & 63, length - (prefix + body.count + 1))
    body.append(contentsOf: repeatElement(0x20, count: padding))
    body.append(0x0A)
    return Self.magic + [1, 0, UInt8(body.count & 0xFF), UInt8(body.count >> 8)] + body
  }

  static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

  /// Reads the header of format 1, 2 or 3, and says where the data starts; nil where it is none.
  static func decode(_ bytes: [UInt8]) -> (header: NPYHeader, dataStart: Int)? {
    guard bytes.count >= 10, bytes.starts(with: magic), (1...3).contains(bytes[6]) else {
      return nil
    }
    let lengthSize = bytes[6] == 1 ? 2 : 4
    let start = 8 + lengthSize
    guard bytes.count >= start else { return nil }
    let length = bytes[8..<start].reversed().reduce(0) { $0 << 8 | Int($1) }
    guard length <= bytes.count - start else { return nil }
    var parser = PythonLiteral(rest: bytes[start..<start + length])
    return parser.header().map { ($0, start + length) }
  }
}

/// Just enough of Python's literals for an npy header: one flat dictionary with string, boolean and
/// integer-tuple values, in any order. A structured `descr` (a list) is not read.
private struct PythonLiteral {
  var rest: ArraySlice<UInt8>

  mutating func header() -> NPYHeader? {
    var descr: String?
    var fortranOrder: Bool?
    var shape: [Int]?
    guard take("{") else { return nil }
    while !take("}") {
      guard let key = string(), take(":") else { return nil }
      switch key {
      case "descr": descr = string()
      case "fortran_order": fortranOrder = boolean()
      case "shape": shape = tuple()
      default: return nil
      }
      guard take(",") || next() == UInt8(ascii: "}") else { return nil }
    }
    guard next() == nil, let descr, let fortranOrder, let shape else { return nil }
    return NPYHeader(descr: descr, fortranOrder: fortranOrder, shape: shape)
  }

  /// The next byte that is no white space.
  private mutating func next() -> UInt8? {
    rest = rest.drop { $0 == 0x20 || $0 == 0x0A }
    return rest.first
  }

  private mutating func take(_ word: String) -> Bool {
    guard next() != nil, rest.starts(with: word.utf8) else { return false }
    rest = rest.dropFirst(word.utf8.count)
    return true
  }

  private mutating func string() -> String? {
    guard let quote = next(), quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else {
      return nil
    }
    rest = rest.dropFirst()
    let text = rest.prefix { $0 != quote }
    rest = rest.dropFirst(text.count)
    guard rest.popFirst() == quote else { return nil }
    return String(decoding: text, as: UTF8.self)
  }

  private mutating func boolean() -> Bool? {
    take("True") ? true : take("False") ? false : nil
  }

  private mutating func tuple() -> [Int]? {
    guard take("(") else { return nil }
    var extents: [Int] = []
    while !take(")") {
      guard next() != nil else { return nil }
      let digits = rest.prefix { (0x30...0x39).contains($0) }
      rest = rest.dropFirst(digits.count)
      guard let extent = Int(String(decoding: digits, as: UTF8.self)) else { return nil }
      extents.append(extent)
      guard take(",") || next() == UInt8(ascii: ")") else { return nil }
    }
    return extents
  }
}
