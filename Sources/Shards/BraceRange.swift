import Foundation

/// What stands between the braces of `{000..099}`, `{0..10..5}` or `{a..c}`: numbers or letters.
struct BraceRange {
  private let first: Int
  private let last: Int
  private let step: Int
  /// Digits that a number is filled up to with zeros; nil for letters.
  private let width: Int?

  /// - Returns: nil for a text that is neither `first..last` nor `first..last..step`.
  init?(_ text: ArraySlice<UInt8>) {
    let bounds = String(decoding: text, as: UTF8.self).components(separatedBy: "..")
    guard bounds.count == 2 || bounds.count == 3,
      let step = bounds.count == 2 ? 1 : Int(bounds[2]), step != 0, step != .min
    else { return nil }
    self.step = abs(step)
    if let first = Int(bounds[0]), let last = Int(bounds[1]) {
      let padded = bounds.prefix(2).contains {
        let digits = $0.drop { $0 == "-" }
        return digits.count > 1 && digits.first == "0"
      }
      (self.first, self.last) = (first, last)
      width = padded ? max(bounds[0].count, bounds[1].count) : 0
    } else if let first = Self.letter(bounds[0]), let last = Self.letter(bounds[1]) {
      (self.first, self.last) = (first, last)
      width = nil
    } else {
      return nil
    }
  }

  /// How many values there are, or `Int.max` where that is more than a number can tell.
  var count: Int {
    let (distance, overflow) = last.subtractingReportingOverflow(first)
    guard !overflow, distance != .min else { return .max }
    let steps = abs(distance) / step
    return steps == .max ? .max : steps + 1
  }

  var values: [[UInt8]] {
    stride(from: first, through: last, by: first <= last ? step : -step).map { value in
      guard let width else { return [UInt8(truncatingIfNeeded: value)] }
      return Array(Self.decimal(value, width: width).utf8)
    }
  }

  private static func letter(_ text: String) -> Int? {
    guard text.utf8.count == 1, let byte = text.utf8.first,
      (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    else { return nil }
    return Int(byte)
  }

  private static func decimal(_ value: Int, width: Int) -> String {
    let digits = String(value.magnitude)
    let sign = value < 0 ? "-" : ""
    return sign + String(repeating: "0", count: max(0, width - sign.count - digits.count)) + digits
  }
}
