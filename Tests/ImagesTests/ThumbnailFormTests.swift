import Testing

@testable import Images

@Suite struct ThumbnailFormTests {
  @Test(arguments: ["png-gray-alpha.png", "jpeg-420.jpg"])
  func everyFormIsWhatItIsByItself(name: String) throws {
    let bytes = try Goldens.bytes(name)
    var decoder = ImageDecoder()
    decoder.scaledDecode = false
    let forms = [
      ThumbnailForm(side: 32), ThumbnailForm(side: 20, geometry: .crop, alpha: .dropped),
      ThumbnailForm(side: 9, geometry: .pad),
    ]
    let together = try decoder.thumbnails(of: bytes, forms: forms)
    #expect(together.map(\.width) == [32, 20, 9])
    for (form, image) in zip(forms, together) {
      decoder.alpha = form.alpha
      #expect(try decoder.thumbnail(of: bytes, side: form.side, geometry: form.geometry) == image)
    }
  }

  @Test func aScaledJPEGIsInEachFormAsWithoutTheOthers() throws {
    let bytes = try Goldens.bytes("jpeg-420.jpg")  // 72x76
    let forms = [
      ThumbnailForm(side: 8), ThumbnailForm(side: 16, geometry: .crop), ThumbnailForm(side: 8),
      ThumbnailForm(side: 40), ThumbnailForm(side: 8, alpha: .dropped),
      ThumbnailForm(side: 8, alpha: .droppedLast),
    ]
    var decoder = ImageDecoder()
    let together = try decoder.thumbnails(of: bytes, forms: forms)
    for (form, image) in zip(forms, together) {
      #expect(try decoder.thumbnails(of: bytes, forms: [form]) == [image])
    }
    // What others' models see is decoded whole.
    #expect(together[0] != together[4])
    decoder.scaledDecode = false
    let whole = try decoder.thumbnails(of: bytes, forms: forms)
    #expect(together[0] != whole[0] && together[4] == whole[0] && together[5] == whole[0])
  }

  @Test func weightedByAlphaOpaqueImagesAreAsTheyAre() throws {
    for name in ["jpeg-420.jpg", "png-gray.png"] {
      let bytes = try Goldens.bytes(name)
      let forms = [AlphaHandling.dropped, .droppedLast].map { ThumbnailForm(side: 20, alpha: $0) }
      let images = try ImageDecoder().thumbnails(of: bytes, forms: forms)
      #expect(images[0] == images[1])
    }
  }

  @Test func whatIsTransparentDoesNotColourWhatIsSeenBesideIt() throws {
    let bytes = try Goldens.bytes("png-rgba.png")
    let forms = [AlphaHandling.dropped, .droppedLast].map { ThumbnailForm(side: 16, alpha: $0) }
    let images = try ImageDecoder().thumbnails(of: bytes, forms: forms)
    #expect(images[0] != images[1])
  }

  @Test func anImageThatDoesNotDecodeIsAnErrorWhateverTheForms() {
    #expect(throws: ImageError.self) {
      try ImageDecoder().thumbnails(of: [1, 2, 3], forms: [ThumbnailForm(side: 8)])
    }
  }
}
