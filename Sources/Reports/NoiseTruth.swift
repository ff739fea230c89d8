/// Which pairs of an evaluation corpus had their captions swapped: a tab-separated file with the columns `key`, `swapped`
/// and `kind`, kind being `none`, `random` or `category`.
public struct NoiseTruth: Sendable {
  public struct Entry: Sendable, Equatable {
    public var isSwapped: Bool
    public var kind: String
  }

  public private(set) var entries: [String: Entry] = [:]

  /// - Throws: `TableError` naming the line.
  public init(_ text: String) throws(TableError) {
    let kind = "truth file"
    let table = try TabSeparatedTable(text, kind: kind, columns: ["key", "swapped", "kind"])
    for (line, fields) in table.rows {
      guard ["0", "1"].contains(fields[1]) else {
        throw TableError(kind: kind, line: line, problem: "swapped must be 0 or 1")
      }
      let entry = Entry(isSwapped: fields[1] == "1", kind: fields[2])
      guard entries.updateValue(entry, forKey: fields[0]) == nil else {
        throw TableError(kind: kind, line: line, problem: "key \(fields[0]) occurs twice")
      }
    }
  }
}
