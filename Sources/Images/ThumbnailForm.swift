/// What an image is made into before an encoder sees it, as far as it is done in whole pixels.
public struct ThumbnailForm: Sendable, Hashable, Codable {
  /// Pixels a side.
  public var side: Int
  public var geometry: Geometry
  public var alpha: AlphaHandling

  public init(side: Int, geometry: Geometry = .squash, alpha: AlphaHandling = .onWhite) {
    self.side = side
    self.geometry = geometry
    self.alpha = alpha
  }

  /// Of a thumbnail, RGB.
  public var byteCount: Int { side * side * 3 }
}

extension ImageDecoder {
  /// The image as a square in each form; it is decoded once for all that treat transparency alike.
  ///
  /// Where a JPEG is scaled while it is decoded, it is to what the largest form needs.
  /// - Returns: in the order of `forms`.
  /// - Throws: `ImageError`, as `decode` does.
  public func thumbnails(
    of bytes: [UInt8], forms: [ThumbnailForm]
  ) throws(ImageError) -> [PixelImage] {
    var result = [PixelImage?](repeating: nil, count: forms.count)
    var decoder = self
    // A JPEG has no transparency to treat.
    let isOpaque = ImageFormat.detect(bytes) == .jpeg
    for alpha in isOpaque ? [.onWhite] : [AlphaHandling.onWhite, .dropped] {
      let indices = forms.indices.filter { isOpaque || forms[$0].alpha == alpha }
      guard !indices.isEmpty else { continue }
      decoder.alpha = alpha
      let images = try decoder.squares(of: bytes, indices.map { forms[$0] })
      for (index, image) in zip(indices, images) { result[index] = image }
    }
    return result.compactMap { $0 }
  }
}
