import Foundation

/// Shell brace patterns, as webdataset expands them.
///
///     {000..002}.tar   ->  000.tar 001.tar 002.tar
///     {0..10..5}       ->  0 5 10
///     {a,b}{1,2}       ->  a1 a2 b1 b2
///     {a,b{1,2}}       ->  a b1 b2
///     {a}              ->  {a}
enum BracePattern {
  /// More than this is taken for a slip of the finger.
  static let limit = 10_000_000
  /// Bytes that all paths of a pattern may come to.
  private static let byteLimit = 256 << 20
  /// Groups of a pattern, nested or not: each is a step of recursion.
  static let groupLimit = 100

  /// The paths are counted before any is made.
  /// - Throws: `unbalancedBrace`, `tooManyPaths`, `tooManyBraces`.
  static func expand(_ pattern: String) throws(ShardListError) -> [String] {
    guard pattern.utf8.contains(where: { $0 == open || $0 == close }) else { return [pattern] }
    guard pattern.utf8.count(where: { $0 == open }) <= groupLimit else {
      throw .tooManyBraces(pattern: pattern, limit: groupLimit)
    }
    do throws(Refusal) {
      let bytes = Array(pattern.utf8)[...]
      let paths = try count(bytes)
      guard paths <= limit else { throw .tooMany }
      // A path has at most as many as the pattern and a number.
      let most = byteLimit / (bytes.count + 20)
      guard paths <= most else { throw .tooLong(most) }
      return try expand(bytes).map { String(decoding: $0, as: UTF8.self) }
    } catch {
      switch error {
      case .unbalanced: throw .unbalancedBrace(pattern: pattern)
      case .tooLong(let most): throw .tooManyPaths(pattern: pattern, limit: most)
      case .tooMany: throw .tooManyPaths(pattern: pattern, limit: limit)
      }
    }
  }

  private enum Refusal: Error {
    case unbalanced, tooMany
    /// For paths as long as these, so many are the most.
    case tooLong(Int)
  }

  private static let open = UInt8(ascii: "{")
  private static let close = UInt8(ascii: "}")
  private static let comma = UInt8(ascii: ",")

  /// How many paths a pattern names.
  private static func count(_ pattern: ArraySlice<UInt8>) throws(Refusal) -> Int {
    guard let first = pattern.firstIndex(where: { $0 == open || $0 == close }) else { return 1 }
    let (parts, end) = try group(in: pattern, at: first)
    var middles = 0
    if parts.count == 1, let range = BraceRange(parts[0]) {
      middles = range.count
    } else {
      for part in parts { middles += try count(part) }
    }
    // Both factors are at most the limit, or a sum of as many as the pattern has bytes.
    guard middles <= limit else { throw .tooMany }
    let whole = middles * (try count(pattern[(end + 1)...]))
    guard whole <= limit else { throw .tooMany }
    return whole
  }

  private static func expand(_ pattern: ArraySlice<UInt8>) throws(Refusal) -> [[UInt8]] {
    guard let first = pattern.firstIndex(where: { $0 == open || $0 == close }) else {
      return [Array(pattern)]
    }
    let (parts, end) = try group(in: pattern, at: first)
    var middles: [[UInt8]] = []
    if parts.count > 1 {
      for part in parts { middles += try expand(part) }
    } else if let range = BraceRange(parts[0]) {
      middles = range.values
    } else {
      middles = try expand(parts[0]).map { [open] + $0 + [close] }
    }
    let tails = try expand(pattern[(end + 1)...])
    let head = Array(pattern[..<first])
    return middles.flatMap { middle in tails.map { head + middle + $0 } }
  }

  /// The comma-separated parts of the group that opens at `start`, and where it closes.
  private static func group(
    in pattern: ArraySlice<UInt8>, at start: Int
  ) throws(Refusal) -> (parts: [ArraySlice<UInt8>], end: Int) {
    var parts: [ArraySlice<UInt8>] = []
    var depth = 0
    var partStart = start + 1
    for index in start..<pattern.endIndex {
      switch pattern[index] {
      case open: depth += 1
      case close:
        depth -= 1
        guard depth >= 0 else { throw .unbalanced }
        if depth == 0 { return (parts + [pattern[partStart..<index]], index) }
      case comma where depth == 1:
        parts.append(pattern[partStart..<index])
        partStart = index + 1
      default: break
      }
    }
    throw .unbalanced
  }
}
