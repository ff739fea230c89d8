// Four bytes a pixel become three in place, so that an image never needs more than its four.

/// `x / 255`, rounded, for x up to 255 * 255 (Pillow's `MULDIV255`).
@inline(__always)
private func dividedBy255(_ x: UInt32) -> UInt8 {
  let biased = x + 128
  return UInt8(truncatingIfNeeded: ((biased >> 8) + biased) >> 8)
}

/// Composites straight-alpha RGBA onto white and packs it as RGB at the buffer's beginning.
func compositeOnWhite(_ pixels: UnsafeMutablePointer<UInt8>, count: Int) {
  for i in 0..<count {
    let (source, target) = (pixels + 4 * i, pixels + 3 * i)
    let alpha = UInt32(source[3])
    let (red, green, blue) = (UInt32(source[0]), UInt32(source[1]), UInt32(source[2]))
    let white = 255 * (255 - alpha)
    target[0] = dividedBy255(red * alpha + white)
    target[1] = dividedBy255(green * alpha + white)
    target[2] = dividedBy255(blue * alpha + white)
  }
}

/// What decoding makes of straight-alpha RGBA.
enum AlphaPass {
  case onWhite, dropped
  /// The colours times alpha.
  case premultiplied
  /// Alpha itself, as grey.
  case plane

  init(_ handling: AlphaHandling) { self = handling == .onWhite ? .onWhite : .dropped }

  /// Packs RGBA as RGB at the buffer's beginning.
  func pack(_ pixels: UnsafeMutablePointer<UInt8>, count: Int) {
    switch self {
    case .onWhite: compositeOnWhite(pixels, count: count)
    case .dropped: dropAlpha(pixels, count: count)
    case .premultiplied: premultiply(pixels, count: count)
    case .plane:
      for i in 0..<count {
        let (alpha, target) = (pixels[4 * i + 3], pixels + 3 * i)
        (target[0], target[1], target[2]) = (alpha, alpha, alpha)
      }
    }
  }
}

/// Straight-alpha RGBA to RGB times alpha, at the buffer's beginning (Pillow's `RGBa`).
private func premultiply(_ pixels: UnsafeMutablePointer<UInt8>, count: Int) {
  for i in 0..<count {
    let (source, target) = (pixels + 4 * i, pixels + 3 * i)
    let alpha = UInt32(source[3])
    let (red, green, blue) = (UInt32(source[0]), UInt32(source[1]), UInt32(source[2]))
    target[0] = dividedBy255(red * alpha)
    target[1] = dividedBy255(green * alpha)
    target[2] = dividedBy255(blue * alpha)
  }
}

extension PixelImage {
  /// The colours that were multiplied by `plane` before, as Pillow's conversion from `RGBa` rounds them.
  func unpremultiplied(by plane: PixelImage) -> PixelImage {
    var result = self
    for i in result.pixels.indices {
      let alpha = Int(plane.pixels[i])
      guard alpha > 0, alpha < 255 else { continue }
      result.pixels[i] = UInt8(min(255, 255 * Int(pixels[i]) / alpha))
    }
    return result
  }
}

/// Packs RGBA as RGB at the buffer's beginning, without a look at alpha.
func dropAlpha(_ pixels: UnsafeMutablePointer<UInt8>, count: Int) {
  for i in 0..<count {
    let (source, target) = (pixels + 4 * i, pixels + 3 * i)
    (target[0], target[1], target[2]) = (source[0], source[1], source[2])
  }
}

/// Turns CMYK into RGB at the buffer's beginning, as Pillow does.
///
/// - Parameter inverted: 255 means no ink, as in files with Adobe's APP14 marker.
func convertCMYK(_ pixels: UnsafeMutablePointer<UInt8>, count: Int, inverted: Bool) {
  let flip: UInt8 = inverted ? 0 : 255
  for i in 0..<count {
    let (source, target) = (pixels + 4 * i, pixels + 3 * i)
    let light = UInt32(source[3] ^ flip)
    let (cyan, magenta, yellow) = (source[0] ^ flip, source[1] ^ flip, source[2] ^ flip)
    target[0] = dividedBy255(UInt32(cyan) * light)
    target[1] = dividedBy255(UInt32(magenta) * light)
    target[2] = dividedBy255(UInt32(yellow) * light)
  }
}
