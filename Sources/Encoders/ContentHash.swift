import CXXHash

/// The identity of a pair: XXH3-128 of its image bytes and its caption bytes. It decides the fold a pair belongs to,
/// whether it joins the reference bank, and which captions it is re-paired with, so none of these depends on the
/// shard a pair happens to lie in.
public struct ContentHash: Hashable, Comparable, Sendable, Codable {
  /// The upper half of the 128 bits.
  public var high: UInt64
  /// The lower half; the fold is taken from it.
  public var low: UInt64
  /// XXH3-128's low half of the image bytes alone: pairs that share it share the image.
  public var image: UInt64

  public init(high: UInt64, low: UInt64, image: UInt64) {
    self.high = high
    self.low = low
    self.image = image
  }

  /// The hash of `image` seeds the hash of `caption`, so swapping bytes between the two changes it.
  public init(image: [UInt8], caption: [UInt8]) {
    let imageHash = image.withUnsafeBytes { XXH3_128bits($0.baseAddress, $0.count) }
    let whole = caption.withUnsafeBytes {
      XXH3_128bits_withSeed($0.baseAddress, $0.count, imageHash.low64 ^ imageHash.high64)
    }
    high = whole.high64
    low = whole.low64
    self.image = imageHash.low64
  }

  public static func < (a: ContentHash, b: ContentHash) -> Bool {
    (a.high, a.low, a.image) < (b.high, b.low, b.image)
  }

  /// The fold in `0..<folds`; no judge that trained on this pair's fold may score it.
  public func fold(of folds: Int) -> Int { Int(low % UInt64(folds)) }
}

/// XXH3-64 of a caption's UTF-8: captions that share it are equal.
public func captionHash(_ caption: String) -> UInt64 {
  var caption = caption
  return caption.withUTF8 { XXH3_64bits($0.baseAddress, $0.count) }
}
