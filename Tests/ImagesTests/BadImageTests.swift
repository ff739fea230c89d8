import Testing

@testable import Images

@Suite struct BadImageTests {
  private func reason(_ bytes: [UInt8], _ decoder: ImageDecoder = ImageDecoder()) -> String {
    do throws(ImageError) {
      _ = try decoder.decode(bytes)
      return "none"
    } catch { return error.reason }
  }

  /// A file cut anywhere is an error; only where nothing but trailing bytes are missing may it
  /// still be the image, and then it is the whole image.
  @Test(arguments: [
    "jpeg-40x1.jpg", "jpeg-gray.jpg", "jpeg-progressive.jpg", "jpeg-ycck.jpg",
    "png-bilevel.png", "png-interlaced-palette-trns.png", "png-gray-alpha.png",
    "webp-lossy.webp", "webp-lossless.webp", "webp-animated-offset.webp",
  ])
  func truncationAtAnyByteIsAnErrorOrLosesNoPixel(_ name: String) throws {
    let bytes = try Goldens.bytes(name)
    let whole = try ImageDecoder().decode(bytes)
    var reasons: [String: Int] = [:]
    for count in 0..<bytes.count {
      do throws(ImageError) {
        let image = try ImageDecoder().decode(Array(bytes[..<count]))
        reasons["fine", default: 0] += 1
        #expect(image == whole, "\(name) cut to \(count) of \(bytes.count) bytes")
      } catch {
        reasons[error.reason, default: 0] += 1
      }
    }
    #expect(reasons["fine", default: 0] <= 24)
    #expect(reasons["image-unknown-format", default: 0] <= 12)
  }

  @Test(arguments: [
    [], [0xFF], Array("GIF89a..........".utf8), Array("<svg xmlns=\"http://www.w3.org\"/>".utf8),
    Array("RIFF....WAVEfmt ".utf8),
  ])
  func whatIsNoImageIsCalledThat(_ bytes: [UInt8]) {
    #expect(throws: ImageError.unknownFormat(firstBytes: Array(bytes.prefix(12)))) {
      try ImageDecoder().decode(bytes)
    }
    #expect(throws: ImageError.self) { try ImageDecoder().size(of: bytes) }
  }

  /// There is nothing after these headers: whoever looked further would call them truncated.
  @Test func pixelLimitIsJudgedFromTheHeaderAlone() throws {
    let big: [UInt8] = [0, 0, 0x4E, 0x20]  // 20,000, most significant byte first
    let ihdr = Array("IHDR".utf8) + big + big + [8, 2, 0, 0, 0]
    let png =
      [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13] + ihdr + crc32(ihdr)
    let frame: [UInt8] = [0xFF, 0xC0, 0, 17, 8, 0x4E, 0x20, 0x4E, 0x20, 3]
    let jpeg: [UInt8] =
      [0xFF, 0xD8] + frame + [1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0]
      + [0xFF, 0xDA, 0, 12, 3, 1, 0, 2, 0x11, 3, 0x11, 0, 63, 0, 0xFF, 0xD9]
    let side: [UInt8] = [0x1F, 0x4E, 0]  // 19,999, least significant byte first
    let webp =
      Array("RIFF".utf8) + [22, 0, 0, 0] + Array("WEBPVP8X".utf8) + [10, 0, 0, 0, 2, 0, 0, 0]
      + side + side
    for bytes in [png, jpeg, webp] {
      let size = try ImageDecoder().size(of: bytes)
      #expect(size.width == 20_000 && size.height == 20_000)
      let expected = ImageError.tooLarge(width: 20_000, height: 20_000, limit: 25_000_000)
      #expect(throws: expected) { try ImageDecoder().decode(bytes) }
      #expect(throws: expected) {
        try ImageDecoder().thumbnail(of: bytes, side: 64, geometry: .squash)
      }
    }
  }

  @Test func limitsAreInclusiveAndAdjustable() throws {
    let bytes = try Goldens.bytes("png-1x30.png")
    var decoder = ImageDecoder()
    decoder.maxPixels = 30
    #expect(reason(bytes, decoder) == "none")
    decoder.maxPixels = 29
    #expect(reason(bytes, decoder) == "image-too-large")
  }

  @Test func aSideBeyondTheLimitIsTooLargeHoweverThin() throws {
    let ihdr = Array("IHDR".utf8) + [0, 0, 0, 1, 0, 1, 0, 0, 8, 2, 0, 0, 0]
    let png =
      [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13] + ihdr + crc32(ihdr)
    #expect(reason(png) == "image-too-large")
  }

  /// A flat JPEG without a byte too many: a difference of zero and an end of block, a bit each, for every block.
  private func flatJPEG(width: Int, height: Int) -> [UInt8] {
    func two(_ number: Int) -> [UInt8] { [UInt8(number >> 8), UInt8(number & 255)] }
    let blocks = (width + 7) / 8 * ((height + 7) / 8)
    let oneCode = [1] + [UInt8](repeating: 0, count: 15) + [0]
    return [0xFF, 0xD8, 0xFF, 0xDB, 0, 67, 0] + [UInt8](repeating: 1, count: 64)
      + [0xFF, 0xC0, 0, 11, 8] + two(height) + two(width) + [1, 1, 0x11, 0]
      + [0xFF, 0xC4, 0, 20, 0] + oneCode + [0xFF, 0xC4, 0, 20, 0x10] + oneCode
      + [0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0] + [UInt8](repeating: 0, count: (blocks + 3) / 4)
      + [0xFF, 0xD9]
  }

  @Test(arguments: [(65_500, 1), (1, 65_500), (65_500, 300), (300, 65_500)])
  func sidesOf65500PixelsAreRead(width: Int, height: Int) throws {
    let bytes = flatJPEG(width: width, height: height)
    let image = try ImageDecoder().decode(bytes)
    #expect(image.width == width && image.height == height)
    #expect(image.pixels.allSatisfy { $0 == 128 })
    for geometry in [Geometry.squash, .crop, .pad] {
      let small = try ImageDecoder().thumbnail(of: bytes, side: 64, geometry: geometry)
      #expect(small.pixels.count == 64 * 64 * 3)
      #expect(small.pixels.contains(128) && small.pixels.allSatisfy { $0 == 128 || $0 == 255 })
    }
    #expect(reason(flatJPEG(width: 65_500, height: 65_500)) == "image-too-large")
  }

  @Test func anArithmeticJPEGIsRefused() throws {
    var bytes = try Goldens.bytes("jpeg-progressive.jpg")
    let frame = try #require(bytes.indices.first { bytes[$0...].starts(with: [0xFF, 0xC2]) })
    bytes[frame + 1] = 0xCA
    let refusal = ImageError.corrupt(
      .jpeg, detail: "it is coded arithmetically, which no browser shows")
    #expect(throws: refusal) { try ImageDecoder().decode(bytes) }
  }

  /// libwebp keeps a record of each.
  @Test func anAnimationOfMoreChunksThanAnyoneWritesIsRefused() throws {
    let bytes = try Goldens.bytes("webp-animated.webp")
    func with(_ chunks: Int) -> [UInt8] {
      let more = Array(repeatElement(Array("abcd\0\0\0\0".utf8), count: chunks).joined())
      let size = UInt32(bytes.count - 8 + more.count)
      return Array("RIFF".utf8) + withUnsafeBytes(of: size.littleEndian, Array.init) + bytes[8...]
        + more
    }
    #expect(reason(with(100)) == "none")
    #expect(throws: ImageError.corrupt(.webp, detail: "it has more than 10000 chunks")) {
      try ImageDecoder().decode(with(10_001))
    }
  }

  @Test func theTablesOfALosslessWebPCountAsMemory() throws {
    func extra(_ bytes: [UInt8]) throws -> Int {
      try bytes.withUnsafeBufferPointer { try WebPHandle($0).extraBytes }
    }
    for name in ["webp-lossless.webp", "webp-animated.webp"] {
      let bytes = try Goldens.bytes(name)
      let size = try ImageDecoder().size(of: bytes)
      #expect(
        try extra(bytes) == min(size.width * size.height / 16, bytes.count * 8 / 20) << 13,
        "\(name)")
      #expect(try extra(bytes) > 0)
    }
    #expect(try extra(Goldens.bytes("webp-lossy.webp")) == 0)
  }

  /// libspng unpacks each, and forgets what that took where the checksum is wrong.
  @Test func aPNGOfMoreCompressedTextsThanAnyoneWritesIsRefused() throws {
    let bytes = try Goldens.bytes("png-rgb.png")
    func with(_ chunks: Int, _ kind: String) -> [UInt8] {
      let chunk = Array(kind.utf8) + Array("k\0\0x".utf8)
      let one = [0, 0, 0, 4] + chunk + [1, 2, 3, 4]  // no checksum of it
      return bytes[..<33] + Array(repeatElement(one, count: chunks).joined()) + bytes[33...]
    }
    #expect(reason(with(32, "zTXt")) == "none")
    for kind in ["zTXt", "iTXt", "iCCP"] {
      #expect(
        throws: ImageError.corrupt(.png, detail: "it has more than 32 zTXt, iTXt and iCCP chunks")
      ) {
        try ImageDecoder().decode(with(33, kind))
      }
    }
    #expect(reason(with(100, "tEXt")) == "none")
  }

  /// Each scan is a pass over all of the image, for a few bytes.
  @Test func aJPEGOfMoreScansThanAnyoneWritesIsRefused() throws {
    let bytes = try Goldens.bytes("jpeg-progressive.jpg")
    let scans = bytes.withUnsafeBufferPointer { JPEGMarkers($0).scans }
    #expect((2...20).contains(scans))
    let last = try #require(bytes.indices.last { bytes[$0...].starts(with: [0xFF, 0xDA]) })
    let scan = bytes[last..<bytes.count - 2]
    func repeated(_ times: Int) -> ImageError? {
      let more = Array(repeatElement(scan, count: times).joined())
      do throws(ImageError) {
        _ = try ImageDecoder().decode(bytes[..<last] + more + [0xFF, 0xD9])
        return nil
      } catch {
        return error
      }
    }
    #expect(repeated(1) == nil)
    let refusal = ImageError.corrupt(.jpeg, detail: "it has more than 100 scans")
    #expect(repeated(101 - scans) != refusal)
    #expect(repeated(102 - scans) == refusal)
    // A marker without a length hides none.
    let hidden = bytes[..<last] + [0xFF, 2, 0xFE, 0xFE]
    let scans200 = Array(repeatElement(scan, count: 200).joined())
    #expect(throws: refusal) { try ImageDecoder().decode(hidden + scans200 + [0xFF, 0xD9]) }
    // What follows the image isn't of it.
    let trailer = Array(repeatElement([0xFF, 0xDA, 0, 2] as [UInt8], count: 200).joined())
    #expect(reason(bytes + trailer) == "none")
    // One after the other is no pass of its own.
    let plain = try Goldens.bytes("jpeg-420.jpg")
    #expect(plain.withUnsafeBufferPointer { JPEGMarkers($0).scans } == 0)
  }

  @Test func garbageBehindAGoodHeaderIsAnErrorInEveryFormat() throws {
    for name in ["jpeg-420.jpg", "png-rgb.png", "webp-lossless.webp", "webp-animated.webp"] {
      var bytes = try Goldens.bytes(name)
      for at in bytes.count / 2..<bytes.count - 2 { bytes[at] = UInt8(truncatingIfNeeded: at &* 7) }
      #expect(reason(bytes) != "none", "\(name)")
    }
  }

  @Test func jpegCutInTheMiddleButClosedIsTruncated() throws {
    let bytes = try Goldens.bytes("jpeg-420.jpg")
    #expect(reason(Array(bytes[..<(bytes.count / 2)]) + [0xFF, 0xD9]) == "image-truncated")
  }

  /// Pillow opens these, and no pixel is missing.
  @Test func bytesThatDoNoHarmToAJPEGAreForgiven() throws {
    let bytes = try Goldens.bytes("jpeg-420.jpg")
    let whole = try ImageDecoder().decode(bytes)
    let beforeTheEnd = Array(bytes.dropLast(2)) + [0, 0, 0, 0xFF, 0xD9]
    #expect(try ImageDecoder().decode(beforeTheEnd) == whole)
    let afterTheEnd = bytes + Array("appended by a camera".utf8)
    #expect(try ImageDecoder().decode(afterTheEnd) == whole)
    #expect(try ImageDecoder().decode(withJunkBeforeTheTables(bytes)) == whole)
    #expect(
      try ImageDecoder().decode(withJunkBeforeTheTables(bytes) + [0, 0, 0xFF, 0xD9]) == whole)
    var strange = bytes
    #expect(bytes[6...].starts(with: "JFIF\0".utf8))
    strange[11] = 7  // the revision's first number
    #expect(try ImageDecoder().decode(strange) == whole)
  }

  @Test func anUnknownAdobeTransformIsTakenAsTheUsualOne() throws {
    let bytes = try Goldens.bytes("jpeg-ycck.jpg")
    var strange = bytes
    let adobe = try #require((0..<bytes.count).first { bytes[$0...].starts(with: "Adobe".utf8) })
    #expect(bytes[adobe + 11] == 2)
    strange[adobe + 11] = 9
    #expect(try ImageDecoder().decode(strange) == ImageDecoder().decode(bytes))
    #expect(reason(Array(strange[..<(bytes.count / 2)]) + [0xFF, 0xD9]) == "image-truncated")
  }

  /// The library tells its first warning only, and here that is the harmless one.
  @Test(arguments: ["jpeg-420.jpg", "jpeg-progressive.jpg", "jpeg-gray.jpg"])
  func aHarmlessWarningHidesNoTruncation(_ name: String) throws {
    let bytes = withJunkBeforeTheTables(try Goldens.bytes(name))
    #expect(reason(bytes) == "none")
    for count in [bytes.count / 2, bytes.count * 3 / 4] {
      #expect(reason(Array(bytes[..<count]) + [0xFF, 0xD9]) == "image-truncated")
    }
    var revised = try Goldens.bytes(name)
    revised[11] = 7
    #expect(reason(Array(revised[..<(revised.count / 2)]) + [0xFF, 0xD9]) == "image-truncated")
  }

  /// Two bytes before the first quantization table that belong to no segment.
  private func withJunkBeforeTheTables(_ bytes: [UInt8]) -> [UInt8] {
    let table = (2..<bytes.count).first { bytes[$0...].starts(with: [0xFF, 0xDB]) } ?? 2
    return bytes[..<table] + [7, 7] + bytes[table...]
  }

  @Test func segmentShorterThanItsOwnLengthFieldIsAnError() {
    #expect(reason([0xFF, 0xD8, 0xFF, 0xEE, 0, 0, 0xFF, 0xD9]) != "none")
  }

  @Test func thumbnailInsideAJPEGIsNotTakenForItsEnd() throws {
    let bytes = try Goldens.bytes("jpeg-420.jpg")
    let inner = try Goldens.bytes("jpeg-40x1.jpg")
    let length = inner.count + 2
    let segment = [0xFF, 0xE1, UInt8(length >> 8), UInt8(length & 255)] + inner
    let nested = Array(bytes[..<2]) + segment + Array(bytes[2...])
    #expect(try ImageDecoder().decode(nested) == ImageDecoder().decode(bytes))
    #expect(reason(Array(nested.dropLast(2))) == "image-truncated")
  }

  @Test func wrongChecksumOfAChunkWithoutPixelsCostsThatChunkOnly() throws {
    let bytes = try Goldens.bytes("png-rgb.png")
    let text = [0, 0, 0, 3] + Array("tEXta".utf8) + [0, 98, 1, 2, 3, 4]
    #expect(
      try ImageDecoder().decode(bytes[..<33] + text + bytes[33...]) == ImageDecoder().decode(bytes))
    var broken = bytes
    broken[bytes.count - 17] ^= 1  // the checksum within the pixels' zlib stream
    #expect(reason(broken) == "image-corrupt")
  }

  @Test func everyErrorSaysWhatIsWrong() {
    #expect(
      ImageError.unknownFormat(firstBytes: [0x47, 0x09]).description
        == "neither JPEG, PNG nor WebP; it begins with [47 09]")
    #expect(
      ImageError.tooLarge(width: 20_000, height: 3, limit: 9).description.contains("20000x3"))
    for error in [ImageError.truncated(.png, detail: "odd"), .corrupt(.webp, detail: "odd")] {
      #expect(error.description.contains("odd; fetch it again"))
    }
  }

  private func crc32(_ bytes: [UInt8]) -> [UInt8] {
    var crc: UInt32 = 0xFFFF_FFFF
    for byte in bytes {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? (crc >> 1) ^ 0xEDB8_8320 : crc >> 1 }
    }
    return (0..<4).reversed().map { UInt8(truncatingIfNeeded: ~crc >> ($0 * 8)) }
  }
}
