/// An 8-bit RGB image, rows top to bottom, channels interleaved.
public struct PixelImage: Sendable, Equatable {
  /// In pixels.
  public var width: Int
  /// In pixels.
  public var height: Int
  /// `height * width * 3` bytes.
  public var pixels: [UInt8]

  /// - Precondition: `pixels` fits the size.
  public init(width: Int, height: Int, pixels: [UInt8]) {
    precondition(pixels.count == width * height * 3, "\(pixels.count) bytes for \(width)x\(height)")
    self.width = width
    self.height = height
    self.pixels = pixels
  }
}
