extension PixelImage {
  /// The image in another size, as Pillow's `resize((width, height), BICUBIC)`: bit for bit where
  /// Pillow takes rows before columns, as it always did; Pillow 13 turns to columns first for some
  /// shapes, which rounds differently in places (0.4/255 in the mean on drawings).
  ///
  /// - Parameters:
  ///   - width: in pixels, at least 1.
  ///   - height: in pixels, at least 1.
  public func resized(width: Int, height: Int) -> PixelImage {
    resampled(
      horizontal: BicubicWeights(from: self.width, to: width, outputs: 0..<width),
      vertical: BicubicWeights(from: self.height, to: height, outputs: 0..<height))
  }

  /// Rows first, rounded to 8 bits, then columns; only the rows that the second pass takes.
  func resampled(horizontal: BicubicWeights, vertical: BicubicWeights) -> PixelImage {
    let rows = horizontal.isIdentity ? 0..<height : vertical.inputs
    let narrowed =
      horizontal.isIdentity ? pixels : Self.resampleRows(self, rows: rows, by: horizontal)
    let width = horizontal.spans.count
    return PixelImage(
      width: width, height: vertical.spans.count,
      pixels: vertical.isIdentity
        ? narrowed
        : Self.resampleColumns(narrowed, width: width, firstRow: rows.lowerBound, by: vertical))
  }

  /// `rows.count * outputs * 3` bytes.
  private static func resampleRows(
    _ image: PixelImage, rows: Range<Int>, by horizontal: BicubicWeights
  ) -> [UInt8] {
    let count = rows.count * horizontal.spans.count * 3
    return [UInt8](unsafeUninitializedCapacity: count) { target, initialized in
      image.pixels.withUnsafeBufferPointer { source in
        horizontal.weights.withUnsafeBufferPointer { weights in
          var out = 0
          for row in rows {
            let line = row * image.width * 3
            for (i, span) in horizontal.spans.enumerated() {
              var (red, green, blue) = (half, half, half)
              var at = line + span.lowerBound * 3
              let first = i * horizontal.stride
              for k in first..<first &+ span.count {
                let weight = weights[k]
                red &+= Int32(source[at]) &* weight
                green &+= Int32(source[at &+ 1]) &* weight
                blue &+= Int32(source[at &+ 2]) &* weight
                at &+= 3
              }
              target[out] = clipped(red)
              target[out &+ 1] = clipped(green)
              target[out &+ 2] = clipped(blue)
              out &+= 3
            }
          }
        }
      }
      initialized = count
    }
  }

  /// `outputs * width * 3` bytes, from rows of which the first is the image's `firstRow`.
  private static func resampleColumns(
    _ source: [UInt8], width: Int, firstRow: Int, by vertical: BicubicWeights
  ) -> [UInt8] {
    let line = width * 3
    let count = vertical.spans.count * line
    var sums = [Int32](repeating: 0, count: line)
    return [UInt8](unsafeUninitializedCapacity: count) { target, initialized in
      source.withUnsafeBufferPointer { source in
        sums.withUnsafeMutableBufferPointer { sums in
          for (i, span) in vertical.spans.enumerated() {
            sums.update(repeating: half)
            for (k, row) in span.enumerated() {
              let weight = vertical.weights[i * vertical.stride + k]
              let from = (row - firstRow) * line
              for x in 0..<line { sums[x] &+= Int32(source[from &+ x]) &* weight }
            }
            for x in 0..<line { target[i &* line &+ x] = clipped(sums[x]) }
          }
        }
      }
      initialized = count
    }
  }

  /// One half in fixed point: the start of every sum, so that shifting rounds.
  private static var half: Int32 { 1 << (BicubicWeights.precision - 1) }

  @inline(__always)
  private static func clipped(_ sum: Int32) -> UInt8 {
    UInt8(truncatingIfNeeded: min(max(sum >> BicubicWeights.precision, 0), 255))
  }
}
