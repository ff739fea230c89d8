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
  /// The image as a square in each form: each as it would be without the others. It is decoded once for all that treat
  /// transparency alike, a JPEG once for all that are scaled alike while it is decoded.
  ///
  /// - Returns: in the order of `forms`.
  /// - Throws: `ImageError`, as `decode` does.
  public func thumbnails(
    of bytes: [UInt8], forms: [ThumbnailForm]
  ) throws(ImageError) -> [PixelImage] {
    var result = [PixelImage?](repeating: nil, count: forms.count)
    // A JPEG has no transparency to treat.
    let isOpaque = ImageFormat.detect(bytes) == .jpeg
    for alpha in isOpaque ? [.onWhite] : [AlphaHandling.onWhite, .dropped, .droppedLast] {
      let indices = forms.indices.filter { isOpaque || forms[$0].alpha == alpha }
      guard !indices.isEmpty else { continue }
      let wanted = indices.map { forms[$0] }
      let images =
        alpha == .droppedLast && !isOpaque
        ? try resizedWithAlpha(bytes, wanted) : try squares(of: bytes, wanted, AlphaPass(alpha))
      for (index, image) in zip(indices, images) { result[index] = image }
    }
    return result.compactMap { $0 }
  }

  /// `droppedLast`: colours weighted by alpha in the resize; as they are where no resize is needed.
  private func resizedWithAlpha(
    _ bytes: [UInt8], _ forms: [ThumbnailForm]
  ) throws(ImageError) -> [PixelImage] {
    let plain = try squares(of: bytes, forms, .dropped)
    guard try isTransparent(bytes) else { return plain }
    let size = try self.size(of: bytes)
    let planes = try squares(of: bytes, forms, .plane)
    let weighted = try squares(of: bytes, forms, .premultiplied)
    return forms.indices.map { i in
      let placement = Placement(
        width: size.width, height: size.height, side: forms[i].side, geometry: forms[i].geometry)
      return (placement.width, placement.height) == size
        ? plain[i] : weighted[i].unpremultiplied(by: planes[i])
    }
  }
}
