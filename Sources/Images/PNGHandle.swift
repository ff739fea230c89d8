import CSPNG

/// libspng's context and the bytes it reads.
final class PNGHandle: ImageHandle {
  /// What one chunk, and all ancillary chunks together, may take in memory when unpacked.
  private static let chunkLimit = 16 << 20
  /// Far beyond what anyone writes; each may take some hundredths of a second to unpack, whatever its checksum, of which
  /// libspng's limits know nothing where that is wrong.
  private static let maxTexts = 32

  let width: Int
  let height: Int
  let bytesPerPixel = 4
  private let context: OpaquePointer
  private let colorType: UInt8

  init(_ bytes: UnsafeBufferPointer<UInt8>) throws(ImageError) {
    guard Self.texts(in: bytes) <= Self.maxTexts else {
      throw .corrupt(.png, detail: "it has more than \(Self.maxTexts) zTXt, iTXt and iCCP chunks")
    }
    guard let context = spng_ctx_new(0) else {
      throw .corrupt(.png, detail: "no memory for a decoder")
    }
    var header = spng_ihdr()
    // As Pillow does: a wrong checksum of a chunk that holds no pixels costs that chunk only.
    let steps = [
      spng_set_crc_action(
        context, Int32(SPNG_CRC_ERROR.rawValue), Int32(SPNG_CRC_DISCARD.rawValue)),
      spng_set_chunk_limits(context, Self.chunkLimit, Self.chunkLimit),
      spng_set_png_buffer(context, bytes.baseAddress, bytes.count),
      spng_get_ihdr(context, &header),
    ]
    if let status = steps.first(where: { $0 != 0 }) {
      spng_ctx_free(context)
      throw Self.error(status)
    }
    self.width = Int(header.width)
    self.height = Int(header.height)
    self.context = context
    self.colorType = header.color_type
  }

  deinit { spng_ctx_free(context) }

  /// The chunks that are, or may be, text or a profile to unpack.
  private static func texts(in bytes: UnsafeBufferPointer<UInt8>) -> Int {
    var (at, count) = (8, 0)
    while at + 8 <= bytes.count {
      let length = bytes[at..<at + 4].reduce(0) { $0 << 8 | Int($1) }
      let kind = bytes[at + 4..<at + 8]
      if ["zTXt", "iTXt", "iCCP"].contains(where: { kind.elementsEqual($0.utf8) }) { count += 1 }
      at += 12 + length
    }
    return count
  }

  func decode(
    alpha: AlphaPass, atLeast: (width: Int, height: Int)?
  ) throws(ImageError) -> PixelImage {
    let composites = alpha == .dropped ? false : try isTransparent
    let (format, channels) = composites ? (SPNG_FMT_RGBA8, 4) : (SPNG_FMT_RGB8, 3)
    let flags = composites ? Int32(SPNG_DECODE_TRNS.rawValue) : 0
    let count = width * height
    var status: Int32 = 0
    let pixels = [UInt8](unsafeUninitializedCapacity: count * channels) { buffer, initialized in
      guard let base = buffer.baseAddress else { return }
      status = spng_decode_image(
        context, base, count * channels, Int32(format.rawValue), flags)
      if composites && status == 0 { alpha.pack(base, count: count) }
      initialized = count * 3
    }
    guard status == 0 else { throw Self.error(status) }
    return PixelImage(width: width, height: height, pixels: pixels)
  }

  /// Grey or truecolour with alpha, or a tRNS chunk.
  var isTransparent: Bool {
    get throws(ImageError) {
      if colorType & 4 != 0 { return true }
      var transparency = spng_trns()
      let status = spng_get_trns(context, &transparency)
      guard status == 0 || status == Int32(SPNG_ECHUNKAVAIL.rawValue) else {
        throw Self.error(status)
      }
      return status == 0
    }
  }

  private static func error(_ status: Int32) -> ImageError {
    let text = spng_strerror(status).map { String(cString: $0) } ?? "error \(status)"
    let endsEarly = [SPNG_IO_EOF.rawValue, SPNG_EIDAT_TOO_SHORT.rawValue].contains {
      $0 == status
    }
    return endsEarly ? .truncated(.png, detail: text) : .corrupt(.png, detail: text)
  }
}
