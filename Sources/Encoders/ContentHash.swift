import CXXHash

/// The identity of a pair: XXH3-128 of its image bytes and its caption bytes. It decides the fold a pair belongs to,
/// whether it joins the reference bank, and which captions it is re-paired with, so none of these depends on the
/// shard a pair happens to lie in.
public struct ContentHash: Hashable, Comparable, Sendable, Codable {
  public var high: UInt64
  public var low: UInt64

  public init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// The hash of `image` seeds the hash of `caption`, so swapping bytes between the two changes it.
  public init(image: [UInt8], caption: [UInt8]) {
    let imageHash = image.withUnsafeBytes { XXH3_128bits($0.baseAddress, $0.count) }
    let whole = caption.withUnsafeBytes {
      XXH3_128bits_withSeed($0.baseAddress, $0.count, imageHash.low64 ^ imageHash.high64)
    }
    high = whole.high64
    low = whole.low64
  }

  public static func < (a: ContentHash, b: ContentHash) -> Bool {
    (a.high, a.low) < (b.high, b.low)
  }

  /// The fold in `0..<folds`; no judge trained with this fold may have seen the pair.
  public func fold(of folds: Int) -> Int { Int(low % UInt64(folds)) }
}
