import Testing

@testable import Images

@Suite struct GeometryTests {
  /// 30x90 pixels: red rows on top, blue between, green at the bottom.
  private let banner = PixelImage(
    width: 30, height: 90,
    pixels: (0..<90).flatMap { row in
      (0..<30).flatMap { _ -> [UInt8] in
        row < 30 ? [255, 0, 0] : row < 60 ? [0, 0, 255] : [0, 255, 0]
      }
    })

  private func thumbnail(_ geometry: Geometry, side: Int) -> PixelImage {
    Placement(width: banner.width, height: banner.height, side: side, geometry: geometry)
      .thumbnail(of: banner)
  }

  @Test func squashTakesTheWholeImage() {
    #expect(thumbnail(.squash, side: 12) == banner.resized(width: 12, height: 12))
  }

  @Test func cropTakesTheCentreOfTheResizedImage() {
    let whole = banner.resized(width: 12, height: 36)
    let centre = whole.pixels[12 * 12 * 3..<24 * 12 * 3]
    #expect(thumbnail(.crop, side: 12).pixels == Array(centre))
  }

  @Test func padCentresTheWholeImageOnWhite() {
    let square = thumbnail(.pad, side: 12)
    let whole = banner.resized(width: 4, height: 12)
    for row in 0..<12 {
      let line = Array(square.pixels[row * 36..<(row + 1) * 36])
      #expect(line[..<12].allSatisfy { $0 == 255 } && line[24...].allSatisfy { $0 == 255 })
      #expect(Array(line[12..<24]) == Array(whole.pixels[row * 12..<(row + 1) * 12]))
    }
  }

  /// torchvision: Resize(224) makes int(224 * long / short); CenterCrop's offset is rounded half
  /// to even, so 299 - 224 = 75 gives 38 and 297 - 224 = 73 gives 36.
  @Test(arguments: [
    (640, 480, 298, 37), (400, 300, 298, 37), (1000, 749, 299, 38), (61, 46, 297, 36),
  ])
  func cropIsPlacedAsTorchvisionPlacesIt(width: Int, height: Int, scaled: Int, offset: Int) {
    let placement = Placement(width: width, height: height, side: 224, geometry: .crop)
    #expect(placement.width == scaled && placement.height == 224)
    #expect(placement.columns == offset..<offset + 224 && placement.rows == 0..<224)
    let upright = Placement(width: height, height: width, side: 224, geometry: .crop)
    #expect(upright.height == scaled && upright.rows == placement.columns)
  }

  @Test(arguments: [Geometry.squash, .crop, .pad])
  func extremeShapesStillGiveASquare(_ geometry: Geometry) throws {
    for (width, height) in [(1, 1), (1, 4000), (4000, 1), (3, 2)] {
      let image = PixelImage(
        width: width, height: height,
        pixels: [UInt8](repeating: 255, count: width * height * 3))
      let square = Placement(width: width, height: height, side: 16, geometry: geometry)
        .thumbnail(of: image)
      #expect(square.pixels == [UInt8](repeating: 255, count: 16 * 16 * 3))
    }
  }
}
