import ConfidentLearning
import Encoders
import Foundation

/// `DIR/noise-model.json`: the noise model's own fields, and what it was fitted on.
public struct NoiseModelFile: Codable, Sendable, Equatable {
  public var formatVersion = StateJSON.formatVersion
  /// XXH3-128 of the `noise` settings.
  public var configurationDigest: String
  public var ensembleDigest: String
  /// How the pairs were scored.
  public var scoring: ScoringMethod
  /// XXH3-128 over what identifies the merged scores.
  public var scoresDigest: String
  /// Judged pairs.
  public var pairs: Int
  public var model: NoiseModel

  enum CodingKeys: String, CodingKey {
    case formatVersion = "format_version"
    case configurationDigest = "configuration_digest"
    case ensembleDigest = "ensemble_digest"
    case scoresDigest = "scores_digest"
    case pairs, scoring
  }

  /// - Throws: `RunError.missing`, `.otherFormat`, `.damagedState`.
  public init(of directory: RunDirectory) throws(RunError) {
    self = try StateJSON.decode(
      NoiseModelFile.self, from: directory.noiseModel, keys: .useDefaultKeys,
      remedy: "run `winnow fit` first")
  }

  init(
    configurationDigest: String, ensembleDigest: String, scoring: ScoringMethod,
    scoresDigest: String, pairs: Int, model: NoiseModel
  ) {
    self.configurationDigest = configurationDigest
    self.ensembleDigest = ensembleDigest
    self.scoring = scoring
    self.scoresDigest = scoresDigest
    self.pairs = pairs
    self.model = model
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    formatVersion = try container.decode(Int.self, forKey: .formatVersion)
    configurationDigest = try container.decode(String.self, forKey: .configurationDigest)
    ensembleDigest = try container.decode(String.self, forKey: .ensembleDigest)
    scoresDigest = try container.decode(String.self, forKey: .scoresDigest)
    scoring = try container.decode(ScoringMethod.self, forKey: .scoring)
    pairs = try container.decode(Int.self, forKey: .pairs)
    model = try NoiseModel(from: decoder)
  }

  public func encode(to encoder: any Encoder) throws {
    try model.encode(to: encoder)
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(formatVersion, forKey: .formatVersion)
    try container.encode(configurationDigest, forKey: .configurationDigest)
    try container.encode(ensembleDigest, forKey: .ensembleDigest)
    try container.encode(scoresDigest, forKey: .scoresDigest)
    try container.encode(scoring, forKey: .scoring)
    try container.encode(pairs, forKey: .pairs)
  }
}

/// Stage "fit": the shards' statistics merged (exactly, in any order), and the noise model of them all.
enum FitStage {
  /// - Parameter directories: the output folders whose scores are merged.
  static func run(
    _ directories: [RunDirectory], in run: RunContext
  ) throws -> NoiseModelFile {
    try Settings.pin([.noise], in: run)
    let scored = try directories.flatMap { try scores(of: $0) }
    let digest = digest(of: scored.map(\.record))
    let file = run.directory.noiseModel
    if FileManager.default.fileExists(atPath: file) {
      let present = try NoiseModelFile(of: run.directory)
      if present.scoresDigest == digest { return present }
      guard !run.directory.hasPublished else { throw RunError.otherScores(noiseModel: file) }
    }
    if !run.directory.hasPublished {
      // By an earlier model.
      try? FileManager.default.removeItem(atPath: run.directory.decisions)
    }
    var merged = PairStatistics()
    var pairs = 0
    for (statistics, record) in scored {
      pairs +=
        record.read - record.rejected.values.reduce(0, +) - record.unreadable.values.reduce(0, +)
      merged.merge(
        try StateJSON.decode(PairStatistics.self, from: statistics, keys: .useDefaultKeys))
    }
    let noise = run.configuration.noise
    let result = NoiseModelFile(
      configurationDigest: try Settings.digest(run.configuration, sections: [.noise]),
      ensembleDigest: scored.first?.record.ensembleDigest ?? "",
      scoring: scored.first?.record.scoring ?? run.configuration.score.method, scoresDigest: digest,
      pairs: pairs,
      model: try NoiseModel.fit(merged, repairing: noise.repairing, cut: noise.cut))
    try run.publishing.publish(json: result, to: file)
    return result
  }

  /// Refuses folders that can't be merged, before anything is made.
  /// - Throws: `RunError.missing`, `.usage`, `.otherEnsemble`, `.shardChanged`.
  static func check(_ directories: [RunDirectory]) throws {
    let paths = directories.map { absolutePath($0.path) }
    guard Set(paths).count == paths.count else {
      throw RunError.usage("a folder named twice; its pairs would count twice")
    }
    var first: String?
    var scoring: ScoringMethod?
    for directory in directories {
      for (_, record) in try scores(of: directory) {
        guard scoring == nil || scoring == record.scoring else {
          throw RunError.usage(
            "\(directory.path) holds \(record.scoring.rawValue) scores, the folders before it others: merge folders "
              + "that were scored alike")
        }
        scoring = record.scoring
        let wanted = first ?? record.ensembleDigest
        guard record.ensembleDigest == wanted else {
          throw RunError.otherEnsemble(
            file: directory.path, has: record.ensembleDigest, wanted: wanted,
            remedy: "merge folders that one ensemble judged")
        }
        first = wanted
      }
    }
  }

  /// The statistics file and the record of every shard of the folder's increment.
  private static func scores(
    of directory: RunDirectory
  ) throws(RunError) -> [(statistics: String, record: ShardScores)] {
    let increment = try StateJSON.decode(
      Increment.self, from: directory.increment, remedy: "run `winnow score` first")
    let records = try ScoreFiles.records(of: increment, in: directory)
    return records.enumerated().map { i, record in
      (ScoreFiles(i, of: increment, in: directory).statistics, record)
    }
  }

  private static func digest(of records: [ShardScores]) -> String {
    let lines = records.map {
      "\($0.shardDigest) \($0.ensembleDigest) \($0.settingsDigest) \($0.fault ?? "")\n"
    }
    return Digest.of(Array(lines.sorted().joined().utf8))
  }
}
