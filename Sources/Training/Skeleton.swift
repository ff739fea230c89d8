import Encoders

// Skeleton of what this room will offer:
//
// public struct TrainingConfiguration: Sendable, Codable { seed, folds, epochs, batchSize, members..., bankSize }
// public protocol TrainingCorpus: Sendable {      // thumbnails lie in a memory-mapped file owned by Pipeline
//   var count: Int { get }
//   var thumbnailSide: Int { get }                // what TrainingConfiguration.thumbnailSide asked for
//   func hash(_ i: Int) -> ContentHash
//   func caption(_ i: Int) -> String
//   func withThumbnail<R>(_ i: Int, _ body: (UnsafeBufferPointer<UInt8>) -> R) -> R   // side*side*3 RGB
// }
// public struct TrainingProgress: Sendable { member: String; step: Int; steps: Int; loss: Float; fraction over all members }
// public enum TrainingError: Error { tooFewPairs(have: Int, need: Int), cancelled }
// public func trainEnsemble(_ corpus: some TrainingCorpus, configuration: TrainingConfiguration, workers: Int,
//   checkpoints directory: String?,   // finished members are kept here, so that a resumed run trains only the rest
//   progress: @Sendable (TrainingProgress) -> Void, isCancelled: @Sendable () -> Bool) throws -> Ensemble
