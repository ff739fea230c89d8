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
