/// A kind of what this room encodes, with its version.
public protocol VersionedFormat: Sendable {
  static var version: Int { get }
}

/// Statistics and noise model of pairs: one version with the state files of a run, which hold them.
public enum PairFormat: VersionedFormat { public static let version = 3 }

/// Statistics of class labels, and the issues found.
public enum ClassLabelFormat: VersionedFormat { public static let version = 1 }

/// The version of what this room encodes; decoding any other is an error.
public struct FormatVersion<Format: VersionedFormat>: Sendable, Equatable, Codable {
  public init() {}

  public init(from decoder: any Decoder) throws {
    let found = try decoder.singleValueContainer().decode(Int.self)
    if found != Format.version {
      throw DecodingError.dataCorrupted(
        .init(
          codingPath: decoder.codingPath,
          debugDescription: "format version \(found); this build reads \(Format.version)"))
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var value = encoder.singleValueContainer()
    try value.encode(Format.version)
  }
}
