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

  @Test func anImageThatDoesNotDecodeIsAnErrorWhateverTheForms() {
    #expect(throws: ImageError.self) {
      try ImageDecoder().thumbnails(of: [1, 2, 3], forms: [ThumbnailForm(side: 8)])
    }
  }
}
