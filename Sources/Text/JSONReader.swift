/// A value of a JSON text. Foundation's decoders make `String`s of the keys, and canonically equivalent ones are one key
/// to those: vocabularies need each byte string by itself, and their order.
indirect enum JSONValue: Sendable {
  case null
  case bool(Bool)
  case number(Double)
  case string([UInt8])
  case array([JSONValue])
  case object([(key: [UInt8], value: JSONValue)])

  /// The member of an object, if it is there and not null.
  subscript(_ name: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    let key = Array(name.utf8)
    guard let value = members.last(where: { $0.key == key })?.value else { return nil }
    if case .null = value { return nil }
    return value
  }

  var text: String? {
    guard case .string(let bytes) = self else { return nil }
    return String(decoding: bytes, as: UTF8.self)
  }

  var bytes: [UInt8]? {
    guard case .string(let bytes) = self else { return nil }
    return bytes
  }

  var id: Int32? {
    guard case .number(let value) = self else { return nil }
    return Int32(exactly: value).flatMap { $0 >= 0 ? $0 : nil }
  }

  var flag: Bool? {
    guard case .bool(let value) = self else { return nil }
    return value
  }

  var elements: [JSONValue]? {
    guard case .array(let values) = self else { return nil }
    return values
  }
}

/// Reads JSON (RFC 8259) from bytes.
struct JSONReader {
  private let bytes: [UInt8]
  private var position = 0
  private let file: String
  /// Deeper nesting is refused: it would exhaust the stack.
  private static let deepest = 64

  /// - Throws: `TokenizerError.malformed`, naming `file` and the place.
  static func read(_ bytes: [UInt8], file: String) throws -> JSONValue {
    var reader = JSONReader(bytes: bytes, file: file)
    let value = try reader.value(depth: 0)
    reader.skipSpace()
    guard reader.position == bytes.count else { throw reader.error("more after the end") }
    return value
  }

  private init(bytes: [UInt8], file: String) {
    self.bytes = bytes
    self.file = file
  }

  private func error(_ what: String) -> TokenizerError {
    .malformed(file: file, reason: "\(what) at byte \(position)")
  }

  private mutating func skipSpace() {
    while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) {
      position += 1
    }
  }

  private mutating func takes(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func takes(word: String) -> Bool {
    guard bytes[position...].starts(with: word.utf8) else { return false }
    position += word.utf8.count
    return true
  }

  private mutating func value(depth: Int) throws -> JSONValue {
    guard depth < Self.deepest else { throw error("nesting deeper than \(Self.deepest)") }
    if takes("{") { return try object(depth: depth) }
    if takes("[") { return try array(depth: depth) }
    if takes("\"") { return .string(try string()) }
    if takes(word: "true") { return .bool(true) }
    if takes(word: "false") { return .bool(false) }
    if takes(word: "null") { return .null }
    let start = position
    while position < bytes.count, "+-.0123456789eE".utf8.contains(bytes[position]) { position += 1 }
    guard let number = Double(String(decoding: bytes[start..<position], as: UTF8.self)) else {
      throw error("no JSON value")
    }
    return .number(number)
  }

  private mutating func object(depth: Int) throws -> JSONValue {
    var members: [(key: [UInt8], value: JSONValue)] = []
    if takes("}") { return .object(members) }
    repeat {
      guard takes("\"") else { throw error("no member name") }
      let key = try string()
      guard takes(":") else { throw error("no colon") }
      members.append((key, try value(depth: depth + 1)))
    } while takes(",")
    guard takes("}") else { throw error("an object that does not end") }
    return .object(members)
  }

  private mutating func array(depth: Int) throws -> JSONValue {
    var elements: [JSONValue] = []
    if takes("]") { return .array(elements) }
    repeat { elements.append(try value(depth: depth + 1)) } while takes(",")
    guard takes("]") else { throw error("an array that does not end") }
    return .array(elements)
  }

  private mutating func string() throws -> [UInt8] {
    var result: [UInt8] = []
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      switch byte {
      case UInt8(ascii: "\""): return result
      case UInt8(ascii: "\\"): result += try escape()
      default: result.append(byte)
      }
    }
    throw error("a string that does not end")
  }

  private mutating func escape() throws -> [UInt8] {
    guard position < bytes.count else { throw error("a string that does not end") }
    let byte = bytes[position]
    position += 1
    switch byte {
    case UInt8(ascii: "n"): return [0x0A]
    case UInt8(ascii: "t"): return [0x09]
    case UInt8(ascii: "r"): return [0x0D]
    case UInt8(ascii: "b"): return [0x08]
    case UInt8(ascii: "f"): return [0x0C]
    case UInt8(ascii: "u"):
      var units = [try hexadecimal()]
      if UTF16.isLeadSurrogate(units[0]), takes(word: "\\u") { units.append(try hexadecimal()) }
      return Array(String(decoding: units, as: UTF16.self).utf8)
    default: return [byte]
    }
  }

  private mutating func hexadecimal() throws -> UInt16 {
    let digits = bytes[position..<min(position + 4, bytes.count)]
    guard digits.count == 4,
      let unit = UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
    else { throw error("no four hexadecimal digits") }
    position += 4
    return unit
  }
}
