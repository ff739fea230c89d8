import BenchmarkSupport
import CSPNG
import CTurboJPEG
import Foundation

/// Encodes the benchmark's images. One thread only.
final class ImageWriter {
  private let jpeg: tjhandle

  init() throws {
    guard let jpeg = tjInitCompress() else { throw BenchError("libjpeg-turbo gives no encoder") }
    self.jpeg = jpeg
  }

  deinit { tjDestroy(jpeg) }

  /// - Parameter rgb: `[height, width, 3]`
  func jpeg(
    _ rgb: [UInt8], width: Int, height: Int, isProgressive: Bool = false
  ) throws -> [UInt8] {
    var (output, size): (UnsafeMutablePointer<UInt8>?, UInt) = (nil, 0)
    defer { tjFree(output) }
    let flags = isProgressive ? TJFLAG_PROGRESSIVE : 0
    let status = tjCompress2(
      jpeg, rgb, Int32(width), 0, Int32(height), TJPF_RGB.rawValue, &output, &size,
      Int32(TJSAMP_444.rawValue), 90, flags)
    guard status == 0, let output else { throw BenchError("libjpeg-turbo can't encode") }
    return Array(UnsafeBufferPointer(start: output, count: Int(size)))
  }

  /// - Parameter samples: `[height, width, channels]`, of `depth` bits; RGB or RGBA.
  func png(
    _ samples: [UInt8], width: Int, height: Int, channels: Int = 3, depth: UInt8 = 8
  ) throws -> [UInt8] {
    let context = spng_ctx_new(Int32(SPNG_CTX_ENCODER.rawValue))
    defer { spng_ctx_free(context) }
    let colour = channels == 4 ? SPNG_COLOR_TYPE_TRUECOLOR_ALPHA : SPNG_COLOR_TYPE_TRUECOLOR
    var header = spng_ihdr()
    (header.width, header.height) = (UInt32(width), UInt32(height))
    (header.bit_depth, header.color_type) = (depth, UInt8(colour.rawValue))
    let steps = [
      spng_set_option(context, SPNG_ENCODE_TO_BUFFER, 1),
      spng_set_option(context, SPNG_IMG_COMPRESSION_LEVEL, 1),
      spng_set_ihdr(context, &header),
      spng_encode_image(
        context, samples, samples.count, Int32(SPNG_FMT_PNG.rawValue),
        Int32(SPNG_ENCODE_FINALIZE.rawValue)),
    ]
    var (size, status): (Int, Int32) = (0, 0)
    guard steps.allSatisfy({ $0 == 0 }), let bytes = spng_get_png_buffer(context, &size, &status)
    else { throw BenchError("libspng can't encode") }
    defer { free(bytes) }
    return [UInt8](UnsafeRawBufferPointer(start: bytes, count: size))
  }

  /// A lossless WebP of one colour: some 30 bytes whatever the size, since a code of a single symbol takes no bits.
  static func plainWebP(side: Int) -> [UInt8] {
    var bits: [Bool] = []
    func put(_ value: Int, _ count: Int) { bits += (0..<count).map { value >> $0 & 1 == 1 } }
    put(side - 1, 14)
    put(side - 1, 14)
    put(0, 4)  // alpha, version
    put(0, 3)  // transforms, colour cache, meta codes
    for _ in 0..<5 {
      put(1, 1)  // a simple code
      put(0, 1)  // of one symbol
      put(1, 1)  // of eight bits
      put(0x55 & 31, 8)
    }
    let bytes = stride(from: 0, to: bits.count, by: 8).map { start in
      bits[start..<min(start + 8, bits.count)].enumerated().reduce(UInt8(0)) {
        $0 | ($1.element ? 1 << UInt8($1.offset) : 0)
      }
    }
    let data = [0x2F] + bytes + [UInt8](repeating: 0, count: (bytes.count + 1) % 2)
    func littleEndian(_ value: Int) -> [UInt8] {
      [0, 8, 16, 24].map { UInt8(truncatingIfNeeded: value >> $0) }
    }
    return Array("RIFF".utf8) + littleEndian(data.count + 12) + Array("WEBPVP8L".utf8)
      + littleEndian(data.count) + data
  }
}
