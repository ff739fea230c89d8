import CXXHash

/// XXH3-64 of `text`; the same on every machine and in every run, as `Hasher` is not.
func stableHash(_ text: String, seed: UInt64 = 0) -> UInt64 {
  var text = text
  return text.withUTF8 { XXH3_64bits_withSeed($0.baseAddress, $0.count, seed) }
}

/// 32 hex characters that identify a sample by its image bytes and where they come from.
func sampleUID(identity: String, image: [UInt8]) -> String {
  let seed = stableHash(identity)
  let hash = image.withUnsafeBytes { XXH3_128bits_withSeed($0.baseAddress, $0.count, seed) }
  return [hash.high64, hash.low64].map { word in
    let digits = String(word, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }.joined()
}

extension Array {
  /// Sorted by a hash of what `identity` names: an order that looks random and depends on nothing but the names and
  /// the seed.
  func shuffledByHash(seed: UInt64 = 0, of identity: (Element) -> String) -> [Element] {
    map { (hash: stableHash(identity($0), seed: seed), name: identity($0), element: $0) }
      .sorted { ($0.hash, $0.name) < ($1.hash, $1.name) }
      .map(\.element)
  }
}
