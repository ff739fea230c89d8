import Testing

@testable import Images

@Suite struct ResizeTests {
  @Test(
    arguments: ["png-rgb.png", "png-bilevel.png", "png-5x3.png", "png-1x1.png", "png-1x30.png"],
    [(64, 64), (9, 150), (1, 1), (20, 3), (100, 101)])
  func fastResizeEqualsThePlainOne(_ name: String, _ size: (Int, Int)) throws {
    let image = try ImageDecoder().decode(Goldens.bytes(name))
    let fast = image.resized(width: size.0, height: size.1)
    let plain = image.plainlyResized(width: size.0, height: size.1)
    // A tie may round the other way, and the second pass may amplify it.
    #expect(largestDifference(fast, plain) <= 1)
    #expect(difference(fast, plain) < 0.05)
  }

  @Test func sameSizeIsTheSameImage() throws {
    let image = try ImageDecoder().decode(Goldens.bytes("png-rgb.png"))
    #expect(image.resized(width: image.width, height: image.height) == image)
  }

  @Test func oneColourStaysThatColour() {
    let image = PixelImage(
      width: 37, height: 11, pixels: (0..<37 * 11).flatMap { _ in [3, 128, 255] as [UInt8] })
    for (width, height) in [(5, 5), (80, 2), (37, 60)] {
      let resized = image.resized(width: width, height: height)
      #expect(
        resized.pixels == (0..<width * height).flatMap { _ in [3, 128, 255] as [UInt8] })
    }
  }

  @Test func overshootIsClippedNotWrapped() {
    // A black-white edge, enlarged: the cubic over- and undershoots on both sides.
    let edge = PixelImage(
      width: 8, height: 1,
      pixels: (0..<8).flatMap { [UInt8](repeating: $0 < 4 ? 0 : 255, count: 3) })
    let wide = edge.resized(width: 64, height: 1).pixels
    #expect(wide.prefix(3 * 24).allSatisfy { $0 < 128 })
    #expect(wide.suffix(3 * 24).allSatisfy { $0 > 128 })
  }
}
