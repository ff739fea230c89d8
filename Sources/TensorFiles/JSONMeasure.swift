/// What parsing a JSON text would cost, told before it is done: a stranger's may take hundreds of times its size, or minutes,
/// since a dictionary sorts the accents of its keys, which takes the square of their number.
public struct JSONMeasure: Equatable {
  /// The most JSON values in what is parsed, those of eighty thousand tensors; a value takes up to hundreds of bytes.
  public static let maximumValues = 1_000_000
  /// Bytes of a key.
  public static let longestName = 1024

  /// At least as many as a parser finds: every one but the first follows a comma, a colon or a bracket.
  public private(set) var values = 1
  /// Bytes between the quotes.
  public private(set) var longestKey = 0

  /// Whether the figures say anything: no parser takes it for UTF-16 or UTF-32, which have NULs or a mark.
  public private(set) var isMeasurable: Bool

  /// Why the text had better not be parsed, in words that follow "it"; nil for most.
  public var problem: String? {
    if !isMeasurable { return "isn't UTF-8" }
    if values > Self.maximumValues { return "has more than \(Self.maximumValues) JSON values" }
    if longestKey > Self.longestName { return "has a name of more than \(Self.longestName) bytes" }
    return nil
  }

  public init(_ json: ArraySlice<UInt8>) {
    isMeasurable = !json.contains(0) && ![0xFE, 0xFF].contains(json.first)
    var (start, isInString, isEscaped, length) = (0, false, false, 0)
    for i in json.indices {
      let byte = json[i]
      if isInString {
        if isEscaped {
          isEscaped = false
        } else if byte == UInt8(ascii: "\\") {
          isEscaped = true
        } else if byte == UInt8(ascii: "\"") {
          (isInString, length) = (false, i - start)
        }
        continue
      }
      switch byte {
      case UInt8(ascii: "\""): (start, isInString) = (i + 1, true)
      case UInt8(ascii: ":"):
        longestKey = max(longestKey, length)
        values += 1
      case UInt8(ascii: ","), UInt8(ascii: "["), UInt8(ascii: "{"):
        length = 0
        values += 1
      default: break
      }
    }
  }
}
