import Layers

/// Ensemble Confident Learning's schedule (EfficientCLIP, section 3, as released).
public struct EnsembleSchedule: Sendable, Codable, Equatable {
  /// The share of the pairs, the best by the snapshots so far, that an epoch leaves to the next one; the first epoch,
  /// whose snapshot is near random, leaves all.
  public var keep = 0.9

  public init(keep: Double = 0.9) { self.keep = keep }
}

/// How one model learns from its pairs, whether it is a judge or the model that the clean pairs are for.
struct Recipe: Sendable {
  var epochs: Int
  /// A corpus too small for this many steps is seen more often.
  var minimumSteps = 0
  var batchSize: Int
  /// Parts that a step's pairs are cut into. Threads share them out, so their number decides what the result is, and
  /// the number of threads does not.
  var lanes = 1
  /// Image features of past batches that texts are held against too; 0 for none.
  var queue = 0
  var ecl: EnsembleSchedule?
  var optimiser: AdamW.Settings
  var augmentation: Augmentation

  func plan(pairs: Int) -> EpochPlan {
    EpochPlan(
      pairs: pairs, batchSize: batchSize, epochs: epochs, minimumSteps: minimumSteps,
      keep: ecl?.keep)
  }
}
