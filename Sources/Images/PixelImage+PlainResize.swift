extension PixelImage {
  /// The plain slow version of `resized`, to hold the fast one to: floating point, one pixel at a
  /// time, no table; rounded to 8 bits after each pass.
  func plainlyResized(width: Int, height: Int) -> PixelImage {
    resizedAlongRows(to: width).transposed().resizedAlongRows(to: height).transposed()
  }

  private func resizedAlongRows(to newWidth: Int) -> PixelImage {
    let scale = Double(width) / Double(newWidth)
    let stretch = max(scale, 1)
    var result: [UInt8] = []
    for y in 0..<height {
      for place in 0..<newWidth {
        let center = (Double(place) + 0.5) * scale
        var (sums, total) = (SIMD3<Double>.zero, 0.0)
        for x in 0..<width {
          let weight = BicubicWeights.cubic((Double(x) + 0.5 - center) / stretch)
          let at = (y * width + x) * 3
          let pixel = SIMD3<UInt8>(pixels[at], pixels[at + 1], pixels[at + 2])
          sums += SIMD3<Double>(pixel) * weight
          total += weight
        }
        for channel in 0..<3 {
          result.append(UInt8(min(max((sums[channel] / total).rounded(), 0), 255)))
        }
      }
    }
    return PixelImage(width: newWidth, height: height, pixels: result)
  }

  private func transposed() -> PixelImage {
    var result: [UInt8] = []
    for x in 0..<width {
      for y in 0..<height {
        let at = (y * width + x) * 3
        result += pixels[at..<at + 3]
      }
    }
    return PixelImage(width: height, height: width, pixels: result)
  }
}
