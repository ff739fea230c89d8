import Foundation

/// The JSON of a report: snake_case keys, sorted.
func reportJSON(_ report: some Encodable) throws -> String {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
  encoder.keyEncodingStrategy = .convertToSnakeCase
  return String(decoding: try encoder.encode(report), as: UTF8.self)
}

/// A column of names and one of values.
func aligned(_ lines: [(name: String, value: String)], width: Int = 28) -> String {
  lines.map {
    $0.name.padding(toLength: max(width, $0.name.count + 1), withPad: " ", startingAt: 0) + $0.value
  }
  .joined(separator: "\n")
}
