/// Bytes to RGB: JPEG, PNG and WebP, told by content.
///
/// An image's declared size is checked before any memory is taken for it. EXIF orientation is
/// not applied, as in Pillow's `Image.open` (and so in open_clip).
///
///     let decoder = ImageDecoder()
///     let square = try decoder.thumbnail(of: bytes, side: 64, geometry: .squash)
public struct ImageDecoder: Sendable {
  /// The longest side accepted, in pixels (JPEG's own limit): it bounds the resize's memory.
  public static let maxSide = 65_535

  /// The most pixels, width times height, that an image may declare.
  public var maxPixels = 25_000_000
  /// What becomes of transparency.
  public var alpha = AlphaHandling.onWhite
  /// Thumbnails with alpha `onWhite` decode a JPEG through the smallest DCT scale M/8 that still reaches
  /// twice the target size: faster, and a little different from decoding it whole, as all others do: they
  /// are how others' models prepare images. On 150 openclipart images saved as
  /// JPEG (quality 90, 233,000 pixels in the mean, 56 of them too small for it), squashed to 64x64, the
  /// mean absolute difference is 1.0/255: median 0.3, 95 % below 4.3, at most 7.0.
  public var scaledDecode = true

  /// What decoding may take in memory at a time; all decoders of the process share one.
  public var budget = DecodingBudget.shared

  public init() {}

  /// The size in pixels that the header declares; nothing is decoded and no limit applies.
  ///
  /// - Throws: `ImageError` when the header is none, or cut off.
  public func size(of bytes: [UInt8]) throws(ImageError) -> (width: Int, height: Int) {
    try withHandle(bytes) { handle throws(ImageError) in (handle.width, handle.height) }
  }

  /// The image at full size.
  ///
  /// - Throws: `ImageError`; a file that lacks a part of its pixels is an error, never grey.
  public func decode(_ bytes: [UInt8]) throws(ImageError) -> PixelImage {
    try withHandle(bytes) { handle throws(ImageError) in
      try check(handle)
      return try budget.spend(cost(handle)) { () throws(ImageError) in
        try handle.decode(alpha: AlphaPass(alpha), atLeast: nil)
      }
    }
  }

  /// The image as a square of `side` pixels.
  ///
  /// - Parameters:
  ///   - side: in pixels, at least 1.
  ///   - geometry: how the image's shape becomes a square.
  /// - Throws: `ImageError`, as `decode` does.
  public func thumbnail(
    of bytes: [UInt8], side: Int, geometry: Geometry
  ) throws(ImageError) -> PixelImage {
    precondition(side >= 1, "a thumbnail of side \(side)")
    let form = ThumbnailForm(side: side, geometry: geometry, alpha: alpha)
    return try thumbnails(of: bytes, forms: [form])[0]
  }

  /// The image as a square in each form; transparency is treated as `pass` says. It is decoded once for each scale
  /// that a form asks for.
  func squares(
    of bytes: [UInt8], _ forms: [ThumbnailForm], _ pass: AlphaPass
  ) throws(ImageError) -> [PixelImage] {
    try withHandle(bytes) { handle throws(ImageError) in
      try check(handle)
      let placements = forms.map {
        Placement(
          width: handle.width, height: handle.height, side: $0.side, geometry: $0.geometry)
      }
      // Each form by itself, so that no pixel depends on the other forms.
      let targets = zip(forms, placements).map { target(of: $0, $1) }
      let scales = targets.map { $0.map(handle.eighths(reaching:)) ?? 8 }
      return try budget.spend(cost(handle)) { () throws(ImageError) in
        var result = [PixelImage?](repeating: nil, count: forms.count)
        for scale in Set(scales).sorted() {
          let indices = forms.indices.filter { scales[$0] == scale }
          let image = try handle.decode(alpha: pass, atLeast: targets[indices[0]])
          for index in indices { result[index] = placements[index].thumbnail(of: image) }
        }
        return result.compactMap { $0 }
      }
    }
  }

  /// The size that suffices for a form; nil is the whole image.
  private func target(
    of form: ThumbnailForm, _ placement: Placement
  ) -> (width: Int, height: Int)? {
    guard scaledDecode, form.alpha == .onWhite else { return nil }
    // Twice the size: at once the size, the mean difference to a full decode doubles for a third less time.
    return (2 * placement.width, 2 * placement.height)
  }

  /// Whether any transparency is there to treat.
  func isTransparent(_ bytes: [UInt8]) throws(ImageError) -> Bool {
    try withHandle(bytes) { handle throws(ImageError) in try handle.isTransparent }
  }

  /// Bytes, from the header alone.
  private func cost(_ handle: any ImageHandle) -> Int {
    handle.width * handle.height * handle.bytesPerPixel + handle.extraBytes
  }

  private func check(_ handle: any ImageHandle) throws(ImageError) {
    let (width, height) = (handle.width, handle.height)
    guard width * height <= maxPixels, max(width, height) <= Self.maxSide else {
      throw .tooLarge(width: width, height: height, limit: maxPixels)
    }
  }

  private func withHandle<Result>(
    _ bytes: [UInt8], _ body: (any ImageHandle) throws(ImageError) -> Result
  ) throws(ImageError) -> Result {
    guard let format = ImageFormat.detect(bytes) else {
      throw .unknownFormat(firstBytes: Array(bytes.prefix(12)))
    }
    return try bytes.withUnsafeBufferPointer { buffer throws(ImageError) in
      switch format {
      case .jpeg: try body(JPEGHandle(buffer))
      case .png: try body(PNGHandle(buffer))
      case .webp: try body(WebPHandle(buffer))
      }
    }
  }
}

/// An opened image of one format: the header has been read, the pixels not yet. It borrows the
/// bytes and must not outlive them.
protocol ImageHandle: AnyObject {
  /// At least 1 pixel each, as the header declares them.
  var width: Int { get }
  var height: Int { get }
  /// What decoding takes in memory at most, the result and the library's own buffers together.
  var bytesPerPixel: Int { get }
  /// What it takes beside that, at most.
  var extraBytes: Int { get }
  /// Whether its pixels have alpha.
  var isTransparent: Bool { get throws(ImageError) }

  /// How many eighths of its size the image would be decoded to where `target` suffices; 8 is the whole.
  func eighths(reaching target: (width: Int, height: Int)) -> Int

  /// - Parameter atLeast: a size that suffices; the image may come smaller than it is, but not
  ///   smaller than this (unless it is smaller itself).
  func decode(
    alpha: AlphaPass, atLeast: (width: Int, height: Int)?
  ) throws(ImageError) -> PixelImage
}

extension ImageHandle {
  var extraBytes: Int { 0 }

  func eighths(reaching target: (width: Int, height: Int)) -> Int { 8 }
}
