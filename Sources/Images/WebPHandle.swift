import CWebP

/// libwebp's features and demuxer over the bytes they read.
final class WebPHandle: ImageHandle {
  let width: Int
  let height: Int
  /// The canvas, and the lossless decoder's own ARGB.
  let bytesPerPixel = 8
  private let bytes: UnsafeBufferPointer<UInt8>
  private let hasAlpha: Bool
  private let isAnimated: Bool
  /// Far beyond what an image has; the demuxer keeps a record of each, whatever it is.
  private static let maxChunks = 10_000

  init(_ bytes: UnsafeBufferPointer<UInt8>) throws(ImageError) {
    var features = WebPBitstreamFeatures()
    let status = WebPGetFeatures(bytes.baseAddress, bytes.count, &features)
    guard status == VP8_STATUS_OK, features.width > 0, features.height > 0 else {
      throw Self.error(status)
    }
    self.width = Int(features.width)
    self.height = Int(features.height)
    self.bytes = bytes
    self.isAnimated = features.has_animation != 0
    self.hasAlpha = features.has_alpha != 0 || isAnimated
  }

  var isTransparent: Bool { hasAlpha }

  /// The lossless decoder's tables, alpha's too, 8 KiB for each block of pixels that has codes of its own: how many there are isn't told
  /// before it is decoded, and each takes some bits.
  var extraBytes: Int {
    guard holdsLossless else { return 0 }
    return min(width * height / 16, bytes.count * 8 / 20, 65_536) << 13
  }

  private var holdsLossless: Bool {
    isAnimated
      || Self.chunks(of: bytes).contains {
        $0.elementsEqual("VP8L".utf8) || $0.elementsEqual("ALPH".utf8)
      }
  }

  /// The kinds of the file's chunks, those beyond the limit and one left out.
  private static func chunks(
    of bytes: UnsafeBufferPointer<UInt8>
  ) -> [Slice<UnsafeBufferPointer<UInt8>>] {
    var kinds: [Slice<UnsafeBufferPointer<UInt8>>] = []
    var at = 12
    while at + 8 <= bytes.count, kinds.count <= maxChunks {
      kinds.append(bytes[at..<at + 4])
      let length = bytes[at + 4..<at + 8].reversed().reduce(0) { $0 << 8 | Int($1) }
      at += 8 + length + length % 2
    }
    return kinds
  }

  /// An animation gives its first frame, on a canvas that is transparent elsewhere.
  func decode(
    alpha: AlphaPass, atLeast: (width: Int, height: Int)?
  ) throws(ImageError) -> PixelImage {
    guard Self.chunks(of: bytes).count <= Self.maxChunks else {
      throw .corrupt(.webp, detail: "it has more than \(Self.maxChunks) chunks")
    }
    let channels = hasAlpha ? 4 : 3
    let count = width * height
    var failure: ImageError?
    let pixels = [UInt8](unsafeUninitializedCapacity: count * channels) { buffer, initialized in
      guard let base = buffer.baseAddress else { return }
      failure = isAnimated ? decodeFirstFrame(into: buffer) : decodeStill(into: buffer)
      if hasAlpha && failure == nil { alpha.pack(base, count: count) }
      initialized = count * 3
    }
    if let failure { throw failure }
    return PixelImage(width: width, height: height, pixels: pixels)
  }

  private func decodeStill(into canvas: UnsafeMutableBufferPointer<UInt8>) -> ImageError? {
    Self.decode(bytes, into: canvas, stride: width * (hasAlpha ? 4 : 3), hasAlpha: hasAlpha)
  }

  private func decodeFirstFrame(into canvas: UnsafeMutableBufferPointer<UInt8>) -> ImageError? {
    var data = WebPData(bytes: bytes.baseAddress, size: bytes.count)
    var state = WEBP_DEMUX_PARSE_ERROR
    guard let demuxer = WebPDemuxPartial(&data, &state) else {
      return .corrupt(.webp, detail: "no animation can be read")
    }
    defer { WebPDemuxDelete(demuxer) }
    guard state == WEBP_DEMUX_DONE else {
      return .truncated(.webp, detail: "the animation is not complete")
    }
    var frame = WebPIterator()
    guard WebPDemuxGetFrame(demuxer, 1, &frame) != 0 else {
      return .corrupt(.webp, detail: "the animation has no frame")
    }
    defer { WebPDemuxReleaseIterator(&frame) }
    let (left, top) = (Int(frame.x_offset), Int(frame.y_offset))
    guard left >= 0, top >= 0, frame.width > 0, frame.height > 0,
      left + Int(frame.width) <= width, top + Int(frame.height) <= height
    else {
      return .corrupt(.webp, detail: "the first frame is not within the canvas")
    }
    canvas.initialize(repeating: 0)
    let corner = UnsafeMutableBufferPointer(rebasing: canvas[((top * width + left) * 4)...])
    return Self.decode(
      UnsafeBufferPointer(start: frame.fragment.bytes, count: frame.fragment.size),
      into: corner, stride: width * 4, hasAlpha: true)
  }

  /// The library compares the size that the bitstream declares with `target` before it decodes.
  private static func decode(
    _ bytes: UnsafeBufferPointer<UInt8>, into target: UnsafeMutableBufferPointer<UInt8>,
    stride: Int, hasAlpha: Bool
  ) -> ImageError? {
    var config = WebPDecoderConfig()
    guard WebPInitDecoderConfig(&config) != 0 else {
      return .corrupt(.webp, detail: "another version of libwebp")
    }
    config.output.colorspace = hasAlpha ? MODE_RGBA : MODE_RGB
    config.output.is_external_memory = 1
    config.output.u.RGBA = WebPRGBABuffer(
      rgba: target.baseAddress, stride: Int32(stride), size: target.count)
    let status = WebPDecode(bytes.baseAddress, bytes.count, &config)
    return status == VP8_STATUS_OK ? nil : error(status)
  }

  private static func error(_ status: VP8StatusCode) -> ImageError {
    switch status {
    case VP8_STATUS_NOT_ENOUGH_DATA, VP8_STATUS_SUSPENDED:
      .truncated(.webp, detail: "not enough data")
    case VP8_STATUS_OUT_OF_MEMORY: .corrupt(.webp, detail: "out of memory")
    case VP8_STATUS_UNSUPPORTED_FEATURE: .corrupt(.webp, detail: "unsupported feature")
    default: .corrupt(.webp, detail: "bitstream error (status \(status.rawValue))")
    }
  }
}
