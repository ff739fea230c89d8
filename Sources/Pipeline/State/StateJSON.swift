import Foundation

/// The JSON of every file a run writes: snake_case keys, sorted.
enum StateJSON {
  static let formatVersion = 3

  private struct Version: Decodable {
    var format: Int
    enum CodingKeys: String, CodingKey { case format = "format_version" }
  }

  static func encode(_ value: some Encodable) throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    return try encoder.encode(value) + Data("\n".utf8)
  }

  /// - Parameter keys: `.useDefaultKeys` for types that spell their snake_case keys themselves.
  /// - Throws: `RunError.missing`, `.file`, `.otherFormat` or `.damagedState`.
  static func decode<T: Decodable>(
    _ type: T.Type, from path: String,
    keys: JSONDecoder.KeyDecodingStrategy = .convertFromSnakeCase,
    remedy: String = "run the same command again"
  ) throws(RunError) -> T {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw unreadable(path, unreadableCode(path), remedy: remedy)
    }
    return try decode(type, from: data, of: path, keys: keys)
  }

  /// For the entries of a file that holds one a line.
  static var lineEncoder: JSONEncoder {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    return encoder
  }

  static var lineDecoder: JSONDecoder {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return decoder
  }

  /// What a line holds before the comma.
  static func entry(_ line: Data) -> Data {
    line.last == UInt8(ascii: ",") ? line.dropLast() : line
  }

  /// What keeps a state file from being read, by the system's code.
  static func unreadable(_ path: String, _ code: Int32, remedy: String) -> RunError {
    isMissing(code)
      ? .missing(file: path, remedy: remedy) : .file(path: path, operation: "read", code: code)
  }

  /// - Parameter path: the file that `data` is of.
  /// - Throws: `RunError.otherFormat` or `.damagedState`.
  static func decode<T: Decodable>(
    _ type: T.Type, from data: Data, of path: String,
    keys: JSONDecoder.KeyDecodingStrategy = .convertFromSnakeCase
  ) throws(RunError) -> T {
    let decoder = JSONDecoder()
    do {
      let version = try decoder.decode(Version.self, from: data).format
      guard version == formatVersion else {
        throw RunError.otherFormat(file: path, found: version, expected: formatVersion)
      }
      decoder.keyDecodingStrategy = keys
      return try decoder.decode(type, from: data)
    } catch let error as RunError {
      throw error
    } catch {
      throw .damagedState(file: path, detail: "\(error)")
    }
  }
}
