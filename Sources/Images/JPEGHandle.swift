import CTurboJPEG

/// libjpeg-turbo's handle and the bytes it reads. Held to TurboJPEG's 2.1 API.
final class JPEGHandle: ImageHandle {
  let width: Int
  let height: Int
  private let handle: tjhandle
  private let bytes: UnsafeBufferPointer<UInt8>
  private let markers: JPEGMarkers
  private let isCMYK: Bool
  /// Far beyond what encoders write, some ten; TurboJPEG's own limit, 500, lets a few kilobytes take ten seconds.
  private static let maxScans = 100

  init(_ bytes: UnsafeBufferPointer<UInt8>) throws(ImageError) {
    guard let handle = tjInitDecompress() else {
      throw .corrupt(.jpeg, detail: "no memory for a decoder")
    }
    let markers = JPEGMarkers(bytes)
    var (width, height, subsampling, colorspace) = (Int32(0), Int32(0), Int32(-1), Int32(-1))
    let status = tjDecompressHeader3(
      handle, bytes.baseAddress, UInt(bytes.count), &width, &height, &subsampling, &colorspace)
    // An unusual subsampling has no name in this API and is reported as an error, after the rest
    // was filled in; decoding it works.
    guard status == 0 || colorspace >= 0, width > 0, height > 0 else {
      defer { tjDestroy(handle) }
      throw Self.error(handle, markers)
    }
    self.width = Int(width)
    self.height = Int(height)
    self.handle = handle
    self.bytes = bytes
    self.markers = markers
    self.isCMYK = [TJCS_CMYK, TJCS_YCCK].contains { Int32($0.rawValue) == colorspace }
  }

  deinit { tjDestroy(handle) }

  var isTransparent: Bool { false }

  var bytesPerPixel: Int {
    (isCMYK ? 4 : 3) + (markers.holdsCoefficients ? 2 * Int(markers.components) : 0)
  }

  func decode(
    alpha: AlphaPass, atLeast target: (width: Int, height: Int)?
  ) throws(ImageError) -> PixelImage {
    guard markers.hasEnd else { throw .truncated(.jpeg, detail: "no end-of-image marker") }
    guard !markers.isArithmetic else {
      throw .corrupt(.jpeg, detail: "it is coded arithmetically, which no browser shows")
    }
    guard markers.scans <= Self.maxScans else {
      throw .corrupt(.jpeg, detail: "it has more than \(Self.maxScans) scans")
    }
    let eighths = target.map { self.eighths(reaching: $0) } ?? 8
    let (width, height) = (scaled(self.width, eighths), scaled(self.height, eighths))
    var warning = Warning.none
    var pixels = try decodeToTheEnd(bytes, width: width, height: height, &warning)
    if warning == .inHeader {
      // The library keeps the text of the first warning only, and this one may hide another.
      pixels = try markers.cleaned(bytes).withUnsafeBufferPointer { cleaned throws(ImageError) in
        try decodeToTheEnd(cleaned, width: width, height: height, &warning)
      }
      guard warning != .inHeader else { throw Self.error(handle, markers) }
    }
    return PixelImage(width: width, height: height, pixels: pixels)
  }

  /// As below; what stands before the end marker must be garbage indeed.
  private func decodeToTheEnd(
    _ bytes: UnsafeBufferPointer<UInt8>, width: Int, height: Int, _ warning: inout Warning
  ) throws(ImageError) -> [UInt8] {
    var pixels = try decode(bytes, width: width, height: height, &warning)
    // Where a restart was due, this warning is the first too, and hides the one that tells of missing rows.
    guard case .beforeTheEnd = warning, JPEGMarkers.mayRestart(bytes) else { return pixels }
    var shorter: [UInt8]?
    // Some of the garbage isn't counted at first: the decoder had read it ahead.
    for _ in 0..<8 {
      guard case .beforeTheEnd(let count) = warning, count > 0 else { break }
      let next = shorter.map {
        $0.withUnsafeBufferPointer { JPEGMarkers.dropping(count, beforeTheEndOf: $0) }
      }
      let cut = next ?? JPEGMarkers.dropping(count, beforeTheEndOf: bytes)
      guard cut.count < (shorter?.count ?? bytes.count) else { break }
      pixels = []  // never two at a time
      pixels = try cut.withUnsafeBufferPointer { cut throws(ImageError) in
        try decode(cut, width: width, height: height, &warning)
      }
      shorter = cut
    }
    guard warning == .none else { throw Self.error(handle, markers) }
    return pixels
  }

  /// `width * height * 3` bytes.
  /// - Parameter warning: the first that came, of those that cost no pixel.
  /// - Throws: `ImageError` after any other warning: pixels are missing or wrong.
  private func decode(
    _ bytes: UnsafeBufferPointer<UInt8>, width: Int, height: Int, _ warning: inout Warning
  ) throws(ImageError) -> [UInt8] {
    let count = width * height
    let (format, channels) = isCMYK ? (TJPF_CMYK, 4) : (TJPF_RGB, 3)
    var status: Int32 = 0
    let pixels = [UInt8](unsafeUninitializedCapacity: count * channels) { buffer, initialized in
      guard let base = buffer.baseAddress else { return }
      status = tjDecompress2(
        handle, bytes.baseAddress, UInt(bytes.count), base, Int32(width), 0, Int32(height),
        format.rawValue, TJFLAG_LIMITSCANS)
      if isCMYK { convertCMYK(base, count: count, inverted: markers.hasAdobe) }
      initialized = count * 3
    }
    guard status == 0 else {
      guard let harmless = Warning(handle) else { throw Self.error(handle, markers) }
      warning = harmless
      return pixels
    }
    warning = .none
    return pixels
  }

  /// What libjpeg warns of although every pixel is there.
  private enum Warning: Equatable {
    case none
    /// So many bytes of garbage before the end marker.
    case beforeTheEnd(Int)
    /// Before the first scan, or between scans: pixels may be missing further on.
    case inHeader

    /// - Returns: nil for an error, and for any warning that says that pixels are missing or wrong.
    init?(_ handle: tjhandle) {
      guard tjGetErrorCode(handle) == Int32(TJERR_WARNING.rawValue) else { return nil }
      let text = JPEGHandle.message(handle)
      if text.contains("extraneous bytes before marker 0xd9") {
        self = .beforeTheEnd(text.split(separator: " ").lazy.compactMap { Int($0) }.first ?? 0)
      } else if ["extraneous bytes before marker", "Adobe color transform", "JFIF revision number"]
        .contains(where: text.contains)
      {
        self = .inHeader
      } else {
        return nil
      }
    }
  }

  /// The smallest number of eighths at which both sides still reach the target.
  func eighths(reaching target: (width: Int, height: Int)) -> Int {
    (1...8).first {
      scaled(width, $0) >= target.width && scaled(height, $0) >= target.height
    } ?? 8
  }

  /// TurboJPEG's `TJSCALED`.
  private func scaled(_ length: Int, _ eighths: Int) -> Int { (length * eighths + 7) / 8 }

  private static func error(_ handle: tjhandle, _ markers: JPEGMarkers) -> ImageError {
    let text = message(handle)
    let endsEarly = text.contains("Premature end") || text.contains("premature end")
    return endsEarly || !markers.hasEnd
      ? .truncated(.jpeg, detail: text) : .corrupt(.jpeg, detail: text)
  }

  private static func message(_ handle: tjhandle) -> String {
    tjGetErrorStr2(handle).map { String(cString: $0) } ?? "no message"
  }
}
