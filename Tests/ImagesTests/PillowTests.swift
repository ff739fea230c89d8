import Testing

@testable import Images

/// Every kind of image, held to Pillow 13.0.0.
@Suite struct PillowTests {
  @Test func everyKindIsThere() {
    #expect(Goldens.images.count == 34)
  }

  @Test(arguments: Goldens.images, [(32, 32), (48, 12)])
  func fullDecodeAndResizeAreWithinThreeHalvesOfAStep(_ name: String, _ size: (Int, Int)) throws {
    let (width, height) = size
    let ours = try ImageDecoder().decode(Goldens.bytes(name)).resized(width: width, height: height)
    let pillow = try Goldens.pillow(name, width: width, height: height)
    #expect(difference(ours, pillow) <= 1.5)
  }

  /// Pillow 13 resizes some shapes columns first, earlier ones always rows first; the 8-bit rounding
  /// between the passes differs a little. One of the two orders must be met exactly.
  @Test(arguments: Goldens.exact, [(32, 32), (48, 12)])
  func losslessKindsAreBitForBitPillows(_ name: String, _ size: (Int, Int)) throws {
    let (width, height) = size
    let image = try ImageDecoder().decode(Goldens.bytes(name))
    let rowsFirst = image.resized(width: width, height: height)
    let columnsFirst = image.resized(width: image.width, height: height)
      .resized(width: width, height: height)
    let pillow = try Goldens.pillow(name, width: width, height: height)
    #expect(rowsFirst == pillow || columnsFirst == pillow)
  }

  /// The bars stand a little above what was measured: 1.6 at the default side; at 16 pixels 1.2 for
  /// every kind of the small drawing, but 5.3 for line art of 110x85, whose strokes are one pixel wide.
  /// What `ImageDecoder.scaledDecode` says of 150 images is not measured here.
  @Test(arguments: Goldens.images.filter { $0.hasSuffix(".jpg") })
  func scaledDecodeStaysNearTheFullOne(_ name: String) throws {
    let bytes = try Goldens.bytes(name)
    let (side, bar) =
      switch name {
      case "jpeg-320.jpg": (64, 2.0)
      case "jpeg-422.jpg": (16, 6.0)
      default: (16, 1.5)
      }
    var decoder = ImageDecoder()
    let scaled = try decoder.thumbnail(of: bytes, side: side, geometry: .squash)
    decoder.scaledDecode = false
    let full = try decoder.thumbnail(of: bytes, side: side, geometry: .squash)
    #expect(difference(scaled, full) <= bar)
    #expect(scaled != full || name == "jpeg-40x1.jpg", "the fast path was not taken")
  }

  @Test func scaledDecodeTakesTheSmallestScaleThatReachesTheTarget() throws {
    let bytes = try Goldens.bytes("jpeg-420.jpg")  // 72x76
    let sizes: [(target: Int, width: Int, height: Int)] = [
      (9, 9, 10), (10, 18, 19), (36, 36, 38), (37, 45, 48), (72, 72, 76), (500, 72, 76),
    ]
    for size in sizes {
      let image = try bytes.withUnsafeBufferPointer { buffer throws(ImageError) in
        try JPEGHandle(buffer).decode(alpha: .onWhite, atLeast: (size.target, size.target))
      }
      #expect(image.width == size.width && image.height == size.height)
    }
  }

  @Test func droppedAlphaKeepsTheColoursUnderneath() throws {
    var decoder = ImageDecoder()
    decoder.alpha = .dropped
    // One drawing in two formats that both keep hidden colours, and onto white for contrast.
    let png = try decoder.decode(Goldens.bytes("png-rgba.png"))
    let webp = try decoder.decode(Goldens.bytes("webp-lossless-alpha.webp"))
    #expect(png == webp)
    #expect(try png != ImageDecoder().decode(Goldens.bytes("png-rgba.png")))
    #expect(
      try decoder.decode(Goldens.bytes("png-rgb.png"))
        == ImageDecoder().decode(Goldens.bytes("png-rgb.png")))
  }
}
