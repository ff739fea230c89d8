/// The version of what this room encodes; decoding any other is an error.
public struct FormatVersion: Sendable, Equatable, Codable {
  public static let current = 2

  public init() {}

  public init(from decoder: any Decoder) throws {
    let found = try decoder.singleValueContainer().decode(Int.self)
    if found != Self.current {
      throw DecodingError.dataCorrupted(
        .init(
          codingPath: decoder.codingPath,
          debugDescription: "format version \(found); this build reads \(Self.current)"))
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var value = encoder.singleValueContainer()
    try value.encode(Self.current)
  }
}
