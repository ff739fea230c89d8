import Foundation

/// Which pairs of an evaluation corpus had their captions swapped: a tab-separated file with the header
/// `key swapped kind`, kind being `none`, `random` or `category`.
public struct NoiseTruth: Sendable {
  public struct Entry: Sendable, Equatable {
    public var isSwapped: Bool
    public var kind: String
  }

  public private(set) var entries: [String: Entry] = [:]

  /// - Throws: `TruthError` naming the line.
  public init(_ text: String) throws(TruthError) {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard let header = lines.first?.split(separator: "\t").map(String.init),
      let key = header.firstIndex(of: "key"), let swapped = header.firstIndex(of: "swapped"),
      let kind = header.firstIndex(of: "kind")
    else { throw TruthError(line: 1, problem: "the header must be key, swapped, kind") }
    for (number, line) in lines.enumerated().dropFirst() where !line.isEmpty {
      let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
      guard fields.count == header.count, ["0", "1"].contains(fields[swapped]) else {
        throw TruthError(
          line: number + 1, problem: "\(header.count) fields with swapped 0 or 1 are needed")
      }
      let entry = Entry(isSwapped: fields[swapped] == "1", kind: fields[kind])
      guard entries.updateValue(entry, forKey: fields[key]) == nil else {
        throw TruthError(line: number + 1, problem: "key \(fields[key]) occurs twice")
      }
    }
  }
}

public struct TruthError: Error, Equatable, CustomStringConvertible {
  public var line: Int
  public var problem: String

  public var description: String { "truth file, line \(line): \(problem)" }
}
