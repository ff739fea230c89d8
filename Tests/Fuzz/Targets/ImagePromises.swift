import Images

/// What decoding promises of any bytes.
@Sendable func readImage(_ bytes: [UInt8]) throws -> FuzzTarget.Outcome {
  var decoder = ImageDecoder()
  decoder.maxPixels = 1 << 16
  let side = 16
  var digest = Digest()
  do throws(ImageError) {
    let thumbnail = try decoder.thumbnail(of: bytes, side: side, geometry: .crop)
    digest.add(thumbnail.pixels)
    if thumbnail.pixels.count != side * side * 3 { throw .unknownFormat(firstBytes: []) }
  } catch {
    digest.add(error.reason)
  }
  do {
    let image = try decoder.decode(bytes)
    let size = try decoder.size(of: bytes)
    try promise(
      image.width == size.width && image.height == size.height, "it has its header's size")
    try promise(image.width * image.height <= decoder.maxPixels, "pixels are limited")
    try promise(image.pixels.count == image.width * image.height * 3, "every pixel is there")
    digest.add(image.pixels)
    return .init("read", digest.number)
  } catch let error as ImageError {
    try promise(error.reason.hasPrefix("image-"), "an error has its reason")
    try promiseWords("\(error)")
    digest.add("\(error)")
    return .init(error.reason, digest.number)
  }
}

/// Of the images that Pillow made, those that have `suffix` and are small.
func smallImages(_ names: [String], suffix: String) throws -> [[UInt8]] {
  try names.map { try golden("ImagesTests/Goldens/\($0).\(suffix)") }
}
