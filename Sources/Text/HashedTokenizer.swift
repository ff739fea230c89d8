/// Cuts captions into `CaptionTokens`.
public struct HashedTokenizer: Sendable {
  /// The number of rows that ids are hashed into.
  public var buckets: Int
  /// Lengths of the character n-grams taken from a word with its boundary marks.
  private static let grams = 3...5
  /// Words have grams of at most this many scalars from their beginning, boundary marks included.
  private static let gramScalars = 64
  /// Tokens beyond this many are left out.
  public var maxTokens: Int

  /// - Parameters:
  ///   - buckets: at least 1; what weights were trained with.
  ///   - maxTokens: at least 1.
  public init(buckets: Int, maxTokens: Int) {
    self.buckets = buckets
    self.maxTokens = maxTokens
  }

  /// At least one token, at most `maxTokens`. Of a caption longer than 16 KiB only the beginning is read, so that
  /// no caption costs more than a page of text.
  public func tokens(of caption: String) -> CaptionTokens {
    var result = CaptionTokens(ids: [], ends: [])
    for word in words(of: caption, limit: maxTokens) {
      result.ids.append(bucket(word.text.utf8, salt: 1))
      if word.hasGrams { appendGrams(of: word.text, to: &result.ids) }
      result.ends.append(Int32(result.ids.count))
    }
    // A caption without words has a token of its own: the embedding of nothing would have no direction.
    return result.count > 0 ? result : CaptionTokens(ids: [bucket([], salt: 3)], ends: [1])
  }

  private func appendGrams(of word: String, to ids: inout [Int32]) {
    let marked = Array("<\(word)>".unicodeScalars.prefix(Self.gramScalars))
    guard marked.count > Self.grams.lowerBound else { return }
    for length in Self.grams where length < marked.count {
      for start in 0...(marked.count - length) {
        var gram = String.UnicodeScalarView()
        gram.append(contentsOf: marked[start..<(start + length)])
        ids.append(bucket(String(gram).utf8, salt: 2))
      }
    }
  }

  /// FNV-1a with a final mix, reduced to the buckets.
  private func bucket(_ bytes: some Collection<UInt8>, salt: UInt64) -> Int32 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325 ^ (salt &* 0x9E37_79B9_7F4A_7C15)
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    hash = (hash ^ (hash >> 32)) &* 0xD6E8_FEB8_6659_FD93
    return Int32((hash ^ (hash >> 32)) % UInt64(buckets))
  }
}
