import ConfidentLearning
import Foundation
import Shards
import Training

/// `DIR/manifest.json`: what the run did, written last. Equal runs have equal manifests but for `timings`. What it tells of
/// every input shard and of every file beside the shards is read and written by `ManifestFile`, and not held.
public struct Manifest: Codable, Sendable {
  public struct Shard: Codable, Sendable {
    public var path: String
    /// XXH3-128, hex; empty when the shard couldn't be opened.
    public var digest: String
    public var ledger: Ledger
    /// Set when the shard couldn't be read to its end.
    public var fault: String?
    public var message: String?
    public var report: ShardReport
  }

  public struct Output: Codable, Sendable {
    public var file: String
    public var pairs: Int
    public var bytes: Int64
    public var digest: String
  }

  public struct Noise: Codable, Sendable {
    /// The share of judged pairs that are estimated to be mismatched, captions coming from anywhere in the corpus.
    public var noiseRate: Double
    public var noiseRateInterval: Interval
    /// The same if mismatches were like those of the setting `repairing`; what the cut goes by.
    public var cautiousNoiseRate: Double
    public var cautiousNoiseRateInterval: Interval
    public var cut: Cut
    public var repairing: Repairing
    /// Area under the ROC curve of telling pairs from randomly re-paired ones, and whether that is anything.
    public var separation: Double
    public var isTelling: Bool
    public var scoreThreshold: Double
    public var estimatedNoiseKept: Double
    public var cautiousNoiseKept: Double
    /// Its upper 95 % bound, of a cut by noise only.
    public var cautiousNoiseKeptBound: Double?
    /// Whether the cut asked for can be had.
    public var reachable: Bool

    public init(_ model: NoiseModel) {
      noiseRate = model.noiseRate
      noiseRateInterval = model.noiseRateInterval
      cautiousNoiseRate = model.cautiousNoiseRate
      cautiousNoiseRateInterval = model.cautiousNoiseRateInterval
      cut = model.cut
      repairing = model.repairing
      separation = model.separation
      isTelling = model.isTelling
      scoreThreshold = model.scoreThreshold
      estimatedNoiseKept = model.estimatedNoiseKept
      cautiousNoiseKept = model.cautiousNoiseKept
      cautiousNoiseKeptBound = model.cautiousNoiseKeptBound
      reachable = model.reachable
    }
  }

  /// The settings that decided the result, as they were pinned; nil where something else decided: no `judges` where
  /// the ensemble was brought from elsewhere.
  public struct Settings: Codable, Sendable, Equatable {
    public var read: ReadConfiguration?
    public var images: ThumbnailConfiguration?
    public var judges: TrainingConfiguration?
    public var score: ScoreConfiguration?
    public var noise: NoiseConfiguration?
    public var write: WriteConfiguration?
  }

  public struct Provenance: Codable, Sendable {
    public var winnow: String
    public var configuration: Settings
    public var ensembleDigest: String
    public var kinds: [String]
  }

  /// One run's share: the shards that were new then.
  public struct IncrementRecord: Codable, Sendable, Equatable {
    /// Of the shards' digests.
    public var digest: String
    public var shards: Int
    public var pairs: Int
    /// Output shards.
    public var clean: Int
    public var rejected: Int
    /// How its scores differ from those that the noise model was fitted on; nil for those themselves.
    public var drift: Drift?
    /// Libraries and kernel class, as far as they can be told.
    public var environment: [String: String]
  }

  public struct Timings: Codable, Sendable {
    /// Seconds by stage of the last increment, over all processes that worked on it.
    public var seconds: [String: Double]
    public var total: Double
    public var workers: Int
  }

  public var formatVersion = StateJSON.formatVersion
  public var ledger: Ledger
  public var noise: Noise
  public var clean: [Output]
  public var rejected: [Output]
  public var increments: [IncrementRecord]
  /// Rejected pairs that `winnow restore` put back; the ledger counts them as rejected still.
  public var restored: [RestoredPair]
  public var provenance: Provenance
  public var timings: Timings

  /// - Throws: `RunError.missing`, `.otherFormat`, `.damagedState`.
  public init(of directory: RunDirectory) throws(RunError) {
    self = try ManifestFile(path: directory.manifest).manifest()
  }

  /// - Parameters:
  ///   - earlier: what this goes on from, the manifest of the increments before.
  ///   - share: the increment's ledger.
  ///   - outputs: the increment's.
  init(
    after earlier: Manifest?, increment: Increment, share: Ledger,
    outputs: [Plan.Destination: [Output]], kinds: [String], noise file: NoiseModelFile,
    drift: Drift?, in run: RunContext
  ) throws {
    ledger = earlier?.ledger ?? Ledger()
    ledger.add(share)
    noise = Noise(file.model)
    clean = (earlier?.clean ?? []) + outputs[.clean, default: []]
    rejected = (earlier?.rejected ?? []) + outputs[.rejected, default: []]
    increments =
      (earlier?.increments ?? []) + [
        IncrementRecord(
          digest: increment.digest, shards: increment.shards.count, pairs: share.read,
          clean: outputs[.clean, default: []].count,
          rejected: outputs[.rejected, default: []].count, drift: drift,
          environment: Environment.described)
      ]
    restored = earlier?.restored ?? []
    provenance = Provenance(
      winnow: winnowVersion,
      configuration: try Pipeline.Settings.provenance(in: run), ensembleDigest: file.ensembleDigest,
      kinds: kinds)
    timings = run.timings.summary(workers: run.workers)
  }
}
