/// Why a member is not an image Winnow can use. Every case is a property of the bytes, so the same
/// bytes always fail in the same way.
public enum ImageError: Error, Equatable, Sendable, CustomStringConvertible {
  /// None of JPEG, PNG and WebP; `firstBytes` are at most 12 bytes from the beginning.
  case unknownFormat(firstBytes: [UInt8])
  /// The header declares more than `limit` pixels, or a side above `ImageDecoder.maxSide`.
  case tooLarge(width: Int, height: Int, limit: Int)
  /// The file ends before the image does.
  case truncated(ImageFormat, detail: String)
  /// The library refuses the bytes; `detail` is its own message.
  case corrupt(ImageFormat, detail: String)

  /// A stable word for the ledger.
  public var reason: String {
    switch self {
    case .unknownFormat: "image-unknown-format"
    case .tooLarge: "image-too-large"
    case .truncated: "image-truncated"
    case .corrupt: "image-corrupt"
    }
  }

  public var description: String {
    switch self {
    case .unknownFormat(let firstBytes):
      let hex = firstBytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }
      return "neither JPEG, PNG nor WebP; it begins with [\(hex.joined(separator: " "))]"
    case .tooLarge(let width, let height, let limit):
      return "declares \(width)x\(height) pixels; the limit is \(limit) pixels and "
        + "\(ImageDecoder.maxSide) on a side (raise the pixel limit if the image is wanted)"
    case .truncated(let format, let detail):
      return "the \(format.rawValue) file ends too early: \(detail); fetch it again"
    case .corrupt(let format, let detail):
      return "the \(format.rawValue) file cannot be decoded: \(detail); fetch it again"
    }
  }
}
