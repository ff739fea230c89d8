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

  /// - Throws: `unbalancedBrace`, `tooManyPaths`.
  static func expand(_ pattern: String) throws(ShardListError) -> [String] {
    guard pattern.utf8.contains(where: { $0 == open || $0 == close }) else { return [pattern] }
    do {
      return try expand(Array(pattern.utf8)[...]).map { String(decoding: $0, as: UTF8.self) }
    } catch {
      switch error {
      case .unbalanced: throw .unbalancedBrace(pattern: pattern)
      case .tooMany: throw .tooManyPaths(pattern: pattern, limit: limit)
      }
    }
  }

  private enum Refusal: Error { case unbalanced, tooMany }

  private static let open = UInt8(ascii: "{")
  private static let close = UInt8(ascii: "}")
  private static let comma = UInt8(ascii: ",")

  private static func expand(_ pattern: ArraySlice<UInt8>) throws(Refusal) -> [[UInt8]] {
    guard let first = pattern.firstIndex(where: { $0 == open || $0 == close }) else {
      return [Array(pattern)]
    }
    let (parts, end) = try group(in: pattern, at: first)
    var middles: [[UInt8]] = []
    if parts.count > 1 {
      for part in parts { middles += try expand(part) }
    } else if let range = try range(parts[0]) {
      middles = range
    } else {
      middles = try expand(parts[0]).map { [open] + $0 + [close] }
    }
    let tails = try expand(pattern[(end + 1)...])
    guard middles.count.multipliedReportingOverflow(by: tails.count).partialValue <= limit else {
      throw .tooMany
    }
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

  /// `first..last` or `first..last..step`, of numbers or of letters; nil if it is neither.
  private static func range(_ text: ArraySlice<UInt8>) throws(Refusal) -> [[UInt8]]? {
    let bounds = String(decoding: text, as: UTF8.self).components(separatedBy: "..")
    guard bounds.count == 2 || bounds.count == 3 else { return nil }
    guard let step = bounds.count == 2 ? 1 : Int(bounds[2]), step != 0, step != .min else {
      return nil
    }
    if let first = Int(bounds[0]), let last = Int(bounds[1]) {
      let padded = bounds.prefix(2).contains {
        let digits = $0.drop { $0 == "-" }
        return digits.count > 1 && digits.first == "0"
      }
      let width = padded ? max(bounds[0].count, bounds[1].count) : 0
      return try values(first, last, abs(step)).map { Array(decimal($0, width: width).utf8) }
    }
    guard let first = letter(bounds[0]), let last = letter(bounds[1]) else { return nil }
    return try values(Int(first), Int(last), abs(step)).map { [UInt8($0)] }
  }

  private static func values(_ first: Int, _ last: Int, _ step: Int) throws(Refusal) -> [Int] {
    let (distance, overflow) = last.subtractingReportingOverflow(first)
    guard !overflow, distance.magnitude / step.magnitude < limit else { throw .tooMany }
    return Array(stride(from: first, through: last, by: first <= last ? step : -step))
  }

  private static func letter(_ text: String) -> UInt8? {
    guard text.utf8.count == 1, let byte = text.utf8.first,
      (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    else { return nil }
    return byte
  }

  private static func decimal(_ value: Int, width: Int) -> String {
    let digits = String(value.magnitude)
    let sign = value < 0 ? "-" : ""
    return sign + String(repeating: "0", count: max(0, width - sign.count - digits.count)) + digits
  }
}
