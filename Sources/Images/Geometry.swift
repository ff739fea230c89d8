/// How an image of any shape becomes a square.
public enum Geometry: String, Sendable, Codable, CaseIterable {
  /// Both sides to the target, the shape is not kept.
  case squash
  /// The shortest side to the target, then the centre is cut out (torchvision's `Resize` and
  /// `CenterCrop`, which open_clip uses).
  case crop
  /// The longest side to the target, centred on white.
  case pad
}

/// What becomes of transparency.
public enum AlphaHandling: String, Sendable, Codable, CaseIterable {
  /// Composited onto white, at full resolution.
  case onWhite
  /// The colours under the transparency are taken as they are, as Pillow's `convert("RGB")` does.
  case dropped
  /// The same, but after the resize, in which a colour counts as much as it is opaque: Pillow's `resize` of RGBA and then
  /// `convert("RGB")`, as OpenCLIP does it.
  case droppedLast
}

/// Where a resized image stands in the square: sizes and offsets in pixels of the thumbnail.
struct Placement: Equatable {
  /// The size to which the whole image is scaled.
  let width: Int
  let height: Int
  /// The part of the scaled image that is seen.
  let columns: Range<Int>
  let rows: Range<Int>
  let side: Int

  init(width: Int, height: Int, side: Int, geometry: Geometry) {
    let (short, long) = (min(width, height), max(width, height))
    let scaled: (short: Int, long: Int) =
      switch geometry {
      case .squash: (side, side)
      case .crop: (side, side * long / short)
      case .pad: (max(1, (2 * side * short + long) / (2 * long)), side)
      }
    self.width = width <= height ? scaled.short : scaled.long
    self.height = width <= height ? scaled.long : scaled.short
    self.columns = Self.centre(of: self.width, side: side)
    self.rows = Self.centre(of: self.height, side: side)
    self.side = side
  }

  /// Torchvision rounds the crop's offset half to even, as Python's `round` does.
  private static func centre(of length: Int, side: Int) -> Range<Int> {
    guard length > side else { return 0..<length }
    let start = Int((Double(length - side) / 2).rounded(.toNearestOrEven))
    return start..<start + side
  }

  /// The square, `side * side`; where the image doesn't reach it is white.
  func thumbnail(of image: PixelImage) -> PixelImage {
    let seen = image.resampled(
      horizontal: BicubicWeights(from: image.width, to: width, outputs: columns),
      vertical: BicubicWeights(from: image.height, to: height, outputs: rows))
    guard seen.width != side || seen.height != side else { return seen }
    var square = PixelImage(
      width: side, height: side, pixels: [UInt8](repeating: 255, count: side * side * 3))
    let (left, top) = ((side - seen.width) / 2, (side - seen.height) / 2)
    for row in 0..<seen.height {
      let target = ((top + row) * side + left) * 3
      square.pixels.replaceSubrange(
        target..<target + seen.width * 3,
        with: seen.pixels[row * seen.width * 3..<(row + 1) * seen.width * 3])
    }
    return square
  }
}
