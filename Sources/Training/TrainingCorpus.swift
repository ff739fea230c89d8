import Encoders
import Images

/// Pairs to learn from. Thumbnails may lie in a memory-mapped file.
public protocol TrainingCorpus: Sendable {
  var count: Int { get }
  func hash(_ index: Int) -> ContentHash
  /// - Throws: what keeps it from being read.
  func caption(_ index: Int) throws -> String
  /// The `side * side * 3` RGB bytes of a pair's thumbnail in one of the forms that the members need.
  func withThumbnail<R>(
    _ index: Int, _ form: ThumbnailForm, _ body: (UnsafeBufferPointer<UInt8>) -> R
  ) -> R
}
