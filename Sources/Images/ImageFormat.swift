/// The image formats Winnow decodes.
public enum ImageFormat: String, Sendable {
  case jpeg, png, webp

  /// Tells the format by content: a suffix in a shard is only what somebody believed.
  ///
  ///     ImageFormat.detect([0xFF, 0xD8, 0xFF, 0xE0])  // .jpeg
  ///
  /// - Returns: nil when the first bytes belong to none of the formats.
  public static func detect(_ bytes: [UInt8]) -> ImageFormat? {
    if bytes.starts(with: [0xFF, 0xD8, 0xFF]) { return .jpeg }
    if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) { return .png }
    if bytes.count >= 12, bytes.starts(with: "RIFF".utf8),
      bytes[8..<12].elementsEqual("WEBP".utf8)
    {
      return .webp
    }
    return nil
  }
}
