import Testing

@testable import Images

/// Every kind of image, held to Pillow 13.0.0.
@Suite struct PillowTests {
  @Test func everyKindIsThere() {
    #expect(Goldens.images.count == 32)
  }

  @Test(arguments: Goldens.images, [(32, 32), (48, 12)])
  func fullDecodeAndResizeAreWithinThreeHalvesOfAStep(_ name: String, _ size: (Int, Int)) throws {
    let (width, height) = size
    let ours = try ImageDecoder().decode(Goldens.bytes(name)).resized(width: width, height: height)
    let pillow = try Goldens.pillow(name, width: width, height: height)
    let found = difference(ours, pillow)
    print(name, size, found)
    #expect(found.mean <= 1.5)
  }

  @Test(arguments: Goldens.exact, [(32, 32), (48, 12)])
  func losslessKindsAreBitForBitPillows(_ name: String, _ size: (Int, Int)) throws {
    let (width, height) = size
    let ours = try ImageDecoder().decode(Goldens.bytes(name)).resized(width: width, height: height)
    #expect(try ours == Goldens.pillow(name, width: width, height: height))
  }

  @Test(arguments: Goldens.images.filter { $0.hasSuffix(".jpg") })
  func scaledDecodeStaysNearTheFullOne(_ name: String) throws {
    let bytes = try Goldens.bytes(name)
    var decoder = ImageDecoder()
    let scaled = try decoder.thumbnail(of: bytes, side: 32, geometry: .squash)
    decoder.scaledDecode = false
    let full = try decoder.thumbnail(of: bytes, side: 32, geometry: .squash)
    print(name, "scaled", difference(scaled, full))
    #expect(difference(scaled, full).mean <= 3)
  }
}
