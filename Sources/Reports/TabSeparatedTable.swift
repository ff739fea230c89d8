/// Named columns of a tab-separated file whose first line is the header; other columns are passed over.
struct TabSeparatedTable {
  /// The fields asked for, in the order asked for, and the line (from 1) that they stand in.
  var rows: [(line: Int, fields: [String])] = []

  /// - Parameters:
  ///   - kind: what the file is, for errors.
  ///   - columns: names that the header must hold.
  /// - Throws: `TableError` naming the line.
  init(_ text: String, kind: String, columns: [String]) throws(TableError) {
    // By bytes: "\r\n" is one Character.
    let lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    func fields(_ line: Substring.UTF8View.SubSequence) -> [String] {
      let end = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
      return end.split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false)
        .map { String(Substring($0)) }
    }
    let header = lines.first.map(fields) ?? []
    var places: [Int] = []
    for column in columns {
      guard let place = header.firstIndex(of: column) else {
        throw TableError(
          kind: kind, line: 1,
          problem: "the header must name \(columns.joined(separator: ", ")), separated by tabs")
      }
      places.append(place)
    }
    for (number, line) in lines.enumerated().dropFirst() where !line.isEmpty {
      let fields = fields(line)
      guard fields.count == header.count else {
        throw TableError(
          kind: kind, line: number + 1,
          problem: "it has \(fields.count) fields, the header \(header.count)")
      }
      rows.append((number + 1, places.map { fields[$0] }))
    }
  }
}

/// A line of a tab-separated file that can't be used.
public struct TableError: Error, Equatable, CustomStringConvertible {
  /// What the file is.
  public var kind: String
  public var line: Int
  public var problem: String

  public var description: String { "\(kind), line \(line): \(problem)" }
}
