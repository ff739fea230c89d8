import Encoders
import Images

/// The pairs of one shard with a thumbnail of one encoder's form, batch by batch; what is no pair or doesn't decode is
/// counted.
struct ThumbnailReader {
  struct Pair {
    var key: [UInt8]
    var caption: String
    var hash: ContentHash
    /// `side * side * 3` bytes, RGB.
    var thumbnail: [UInt8]
  }

  let pairs: PairReader
  /// Samples passed over, by reason.
  private(set) var leftOut: [String: Int] = [:]
  private let decoder: ImageDecoder
  private let form: ThumbnailForm

  init(_ pairs: PairReader, for image: ImageConfiguration, _ configuration: RunConfiguration) {
    self.pairs = pairs
    decoder = configuration.images.decoder
    form = image.thumbnail
  }

  /// - Returns: up to `count` pairs; none at the shard's end.
  /// - Throws: `RunError.cancelled`.
  mutating func next(_ count: Int, _ cancellation: Cancellation) throws(RunError) -> [Pair] {
    var batch: [Pair] = []
    while batch.count < count, let pair = pairs.next() {
      try cancellation.check()
      switch pair.outcome {
      case .pair(let bytes, let caption, let hash):
        do {
          let thumbnail = try decoder.thumbnails(of: bytes, forms: [form])[0].pixels
          batch.append(Pair(key: pair.key, caption: caption, hash: hash, thumbnail: thumbnail))
        } catch {
          leftOut[error.reason, default: 0] += 1
        }
      case .rejected(let reason, _), .unreadable(let reason, _):
        leftOut[reason, default: 0] += 1
      }
    }
    return batch
  }
}
