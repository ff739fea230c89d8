import Foundation
import Images

/// The committed images and what Pillow makes of them (Tests/Peers/make_image_goldens.py).
enum Goldens {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Goldens")

  /// Every image, sorted by name.
  static let images = ["jpg", "png", "webp"].flatMap { names(suffix: ".\($0)") }.sorted()

  /// Images whose pixels leave no room for taste: no lossy codec is in the way.
  static let exact = images.filter { $0.hasSuffix(".png") || $0.contains("lossless") }

  static func names(suffix: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [])
      .filter { $0.hasSuffix(suffix) }
  }

  static func bytes(_ name: String) throws -> [UInt8] {
    try Array(Data(contentsOf: folder.appendingPathComponent(name)))
  }

  /// Pillow's image onto white, then `resize((width, height), BICUBIC)`.
  static func pillow(_ name: String, width: Int, height: Int) throws -> PixelImage {
    let stem = name.split(separator: ".")[0]
    return PixelImage(
      width: width, height: height, pixels: try bytes("\(stem).\(width)x\(height).rgb"))
  }
}

/// Mean absolute difference of two images of one size, in steps of 1/255.
func difference(_ a: PixelImage, _ b: PixelImage) -> Double {
  Double(steps(a, b).reduce(0, +)) / Double(a.pixels.count)
}

/// The largest absolute difference, in steps of 1/255.
func largestDifference(_ a: PixelImage, _ b: PixelImage) -> Int { steps(a, b).max() ?? 0 }

private func steps(_ a: PixelImage, _ b: PixelImage) -> [Int] {
  precondition(a.width == b.width && a.height == b.height)
  return zip(a.pixels, b.pixels).map { abs(Int($0) - Int($1)) }
}
