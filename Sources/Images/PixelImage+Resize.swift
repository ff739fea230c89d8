import VectorMath

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
        guard let base = source.baseAddress else { return }
        horizontal.withKernelForm {
          vm_resample_rows(
            $0, base + rows.lowerBound * image.width * 3, image.width, rows.count,
            target.baseAddress)
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
      vertical.withKernelForm {
        vm_resample_columns($0, source, line, firstRow, &sums, target.baseAddress)
      }
      initialized = count
    }
  }
}

extension BicubicWeights {
  fileprivate func withKernelForm(_ body: (vm_resampling) -> Void) {
    let firsts = spans.map { Int32($0.lowerBound) }
    let counts = spans.map { Int32($0.count) }
    firsts.withUnsafeBufferPointer { firsts in
      counts.withUnsafeBufferPointer { counts in
        weights.withUnsafeBufferPointer { weights in
          body(
            vm_resampling(
              outputs: spans.count, stride: stride, firsts: firsts.baseAddress,
              counts: counts.baseAddress, weights: weights.baseAddress, precision: Self.precision))
        }
      }
    }
  }
}
