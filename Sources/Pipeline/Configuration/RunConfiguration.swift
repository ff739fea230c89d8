import ConfidentLearning
import Encoders
import Images
import Shards
import Training

/// Every knob of a run, as `Pipelines/clean.yaml` lists them with their reasons. Flags go over the pipeline file, the
/// file over these defaults.
public struct RunConfiguration: Sendable, Equatable, Codable {
  /// Shards, folders or brace patterns to read when the command line names none.
  public var input: [String] = []
  /// The output folder when the command line names none.
  public var output: String?
  /// Unpaired text to train on: files, folders or text-only shards.
  public var text: [String] = []
  /// Decides everything that is drawn: initial weights, batches, augmentation.
  public var seed: UInt64 = 0
  /// Threads; 0 means one per core. The output doesn't depend on it.
  public var workers = 0
  public var read = ReadConfiguration()
  public var images = ThumbnailConfiguration()
  /// How the judges are trained; its own seed is always the one above.
  public var judges = TrainingConfiguration()
  public var score = ScoreConfiguration()
  public var noise = NoiseConfiguration()
  public var write = WriteConfiguration()
  public var refresh = RefreshConfiguration()
  public var report = ReportConfiguration()
  /// How the model that the clean pairs are for is trained; its own seed is always the one above.
  public var train = ModelTrainingConfiguration()

  public init() {}

  enum CodingKeys: String, CodingKey {
    case input = "in"
    case output = "out"
    case text, seed, workers, read, images, judges, score, noise, write, refresh, report, train
  }
}

/// How a sample becomes a pair.
public struct ReadConfiguration: Sendable, Equatable, Codable {
  /// The first member with one of these suffixes is the image (told apart by case-insensitive suffix).
  public var imageSuffixes = ["jpg", "png", "jpeg", "webp"]
  /// The first member with one of these suffixes is the caption.
  public var textSuffixes = ["txt"]
  /// When set, the caption is this field of the sample's `json` member, if it has one.
  public var jsonCaption: String?
  /// Bytes; a sample with a larger member is rejected, and copied without being held.
  public var maxMemberBytes = 64 << 20
  /// Bytes; so is a larger sample.
  public var maxSampleBytes = 256 << 20

  public init() {}

  var limits: ReadLimits {
    var limits = ReadLimits()
    limits.maxMemberBytes = maxMemberBytes
    limits.maxSampleBytes = maxSampleBytes
    return limits
  }
}

/// How an image becomes a thumbnail.
public struct ThumbnailConfiguration: Sendable, Equatable, Codable {
  /// Width times height; a larger image is rejected from its header.
  public var maxPixels = 25_000_000
  /// Let libjpeg-turbo scale while it decodes, for encoders of our own making.
  public var scaledDecode = true

  public init() {}

  var decoder: ImageDecoder {
    var decoder = ImageDecoder()
    decoder.maxPixels = maxPixels
    decoder.scaledDecode = scaledDecode
    return decoder
  }
}

/// How the judges' embeddings become scores.
public struct ScoreConfiguration: Sendable, Equatable, Codable {
  public typealias Method = ScoringMethod

  public var method = Method.bankLikelihood

  public init() {}
}

/// The noise model and the cut.
public struct NoiseConfiguration: Sendable, Equatable, Codable {
  /// The named cuts; `maxNoise` and `keepFraction` are the alternatives to them.
  public enum Method: String, Sendable, Codable, CaseIterable {
    case predictedNeqGiven = "predicted-neq-given"
    case pruneByNoiseRate = "prune-by-noise-rate"
    case confidentLearning = "confident-learning"
  }

  public var repairing = Repairing.both
  public var method = Method.predictedNeqGiven
  public var maxNoise: Double?
  public var keepFraction: Double?

  public init() {}

  /// The one cut asked for; at most one of `maxNoise` and `keepFraction` is set (`RunConfiguration.check`).
  var cut: Cut {
    if let maxNoise { return .maxNoise(maxNoise) }
    if let keepFraction { return .keepFraction(keepFraction) }
    return switch method {
    case .predictedNeqGiven: .predictedNeqGiven
    case .pruneByNoiseRate: .pruneByNoiseRate
    case .confidentLearning: .confidentLearning
    }
  }
}

/// The form of the output shards.
public struct WriteConfiguration: Sendable, Equatable, Codable {
  /// Pairs in an output shard, at most.
  public var shardSize = 10_000
  /// zstd's level.
  public var level: Int32 = 3
  /// `.tar` rather than `.tar.zst`.
  public var plain = false

  public init() {}

  var compression: ShardCompression { plain ? .none : .zstd(level: level) }
  var suffix: String { plain ? ".tar" : ".tar.zst" }
}

/// What a run does where an earlier one left off with fewer shards.
public struct RefreshConfiguration: Sendable, Equatable, Codable {
  /// What follows when the new pairs score otherwise than those that the noise model was fitted on.
  public enum DriftPolicy: String, Sendable, Codable, CaseIterable {
    /// It is said, and the run goes on with the judges and the noise model that it has.
    case report
    /// The folder is built anew, beside itself: the judges stay, the noise model is fitted on all pairs.
    case refit
    /// The same, with judges trained on all pairs.
    case retrain
  }

  public var onDrift = DriftPolicy.report
  /// The least distance of the two distributions of scores (Kolmogorov-Smirnov, 0 to 1) that counts; see `Drift`.
  public var minDrift = 0.1

  public init() {}
}

/// Where a run's records for machines go, and what it says.
public struct ReportConfiguration: Sendable, Equatable, Codable {
  /// A file that gets one JSON object a line for every event.
  public var log: String?
  /// A file of figures for node_exporter's textfile collector; its name ends in `.prom`.
  public var metrics: String?
  /// Progress on standard error; without it the summary makes a mail.
  public var progress = true

  public init() {}
}

extension RunConfiguration {
  /// Refuses values no stage can work with.
  public func check() throws(RunError) {
    func need(_ condition: Bool, _ text: String) throws(RunError) {
      if !condition { throw .usage(text) }
    }
    try need(
      noise.maxNoise == nil || noise.keepFraction == nil,
      "max-noise and keep-fraction are two cuts; choose one")
    for (name, value) in [("max-noise", noise.maxNoise), ("keep-fraction", noise.keepFraction)] {
      try need(value.map { (0...1).contains($0) } ?? true, "\(name) must lie between 0 and 1")
    }
    try need(output != "", "out is empty: name the output folder")
    try need(
      (0...1024).contains(workers), "workers must lie between 1 and 1024 (or 0 for one per core)")
    try need((0...1).contains(refresh.minDrift), "refresh.minDrift must lie between 0 and 1")
    try need(write.shardSize >= 1, "write.shardSize must be at least 1")
    try need((1...22).contains(write.level), "write.level must lie between 1 and 22")
    try need(!read.imageSuffixes.isEmpty, "read.imageSuffixes must name at least one suffix")
    try need(
      !read.textSuffixes.isEmpty || read.jsonCaption != nil,
      "read.textSuffixes must name at least one suffix, or read.jsonCaption a field")
    try need(read.maxMemberBytes >= 1, "read.maxMemberBytes must be at least 1")
    try need(read.maxSampleBytes >= 1, "read.maxSampleBytes must be at least 1")
    try need(images.maxPixels >= 1, "images.maxPixels must be at least 1")
    try judges.check()
    try train.check()
  }
}
