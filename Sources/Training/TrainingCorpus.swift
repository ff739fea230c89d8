import Encoders

/// Pairs to learn from. Thumbnails may lie in a memory-mapped file.
public protocol TrainingCorpus: Sendable {
  var count: Int { get }
  func hash(_ index: Int) -> ContentHash
  func caption(_ index: Int) -> String
  /// The `side * side * 3` RGB bytes of a pair's thumbnail, `side` being the configuration's `imageSide`.
  func withThumbnail<R>(_ index: Int, _ body: (UnsafeBufferPointer<UInt8>) -> R) -> R
}
