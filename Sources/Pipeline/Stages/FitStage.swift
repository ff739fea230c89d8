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
    try fit(try directories.flatMap { try scores(of: $0) }, in: run)
  }

  /// On the folder's first increment, which the later ones are cut by.
  static func runOnFirst(in run: RunContext) throws -> NoiseModelFile {
    try fit(try scores(of: run.directory, increments: 1), in: run)
  }

  private static func fit(
    _ scored: [(statistics: String, record: ShardScores)], in run: RunContext
  ) throws -> NoiseModelFile {
    try Settings.pin([.noise], in: run)
    let digest = digest(of: scored.map(\.record))
    let file = run.directory.noiseModel
    try OutputCheck.checkPresent(file, in: run)
    if FileManager.default.fileExists(atPath: file) {
      let present = try NoiseModelFile(of: run.directory)
      if present.scoresDigest == digest { return present }
      guard !run.directory.isPlanned(0) else { throw RunError.otherScores(noiseModel: file) }
    }
    if !run.directory.isPlanned(0) {
      // By an earlier model.
      try? FileManager.default.removeItem(atPath: run.directory.decisions)
    }
    let merged = try merged(scored.map(\.statistics))
    let pairs = scored.reduce(0) { $0 + $1.record.judged }
    let noise = run.configuration.noise
    let result = NoiseModelFile(
      configurationDigest: try Settings.digest(run.configuration, sections: [.noise]),
      ensembleDigest: scored.first?.record.ensembleDigest ?? "",
      scoring: scored.first?.record.scoring ?? run.configuration.score.method, scoresDigest: digest,
      pairs: pairs,
      model: try NoiseModel.fit(merged, repairing: noise.repairing, cut: noise.cut))
    try run.publishing.publish(json: merged, to: run.directory.fittedScores)
    try run.publishing.publish(json: result, to: file)
    return result
  }

  /// The folder's noise model, for an increment that came after it was fitted.
  /// - Throws: `RunError.otherEnsemble`, `.usage` where it isn't of scores like these.
  static func reuse(
    for records: [ShardScores], in run: RunContext
  ) throws(RunError) -> NoiseModelFile {
    let noise = try NoiseModelFile(of: run.directory)
    for record in records where record.ensembleDigest != noise.ensembleDigest {
      throw .otherEnsemble(
        file: run.directory.noiseModel, has: noise.ensembleDigest, wanted: record.ensembleDigest,
        remedy: "run `winnow fit` on the folder's own scores")
    }
    for record in records where record.scoring != noise.scoring {
      throw .usage(
        "\(run.directory.noiseModel) is of \(noise.scoring.rawValue) scores, the folder's are of "
          + "\(record.scoring.rawValue): run `winnow fit` on the folder's own scores")
    }
    return noise
  }

  /// How the increment's scores differ from those fitted on; nil for the first increment, which was fitted on itself.
  static func drift(of increment: Increment, in run: RunContext) throws -> Drift? {
    guard increment.index > 0,
      FileManager.default.fileExists(atPath: run.directory.fittedScores)
    else { return nil }
    let fitted = try StateJSON.decode(
      PairStatistics.self, from: run.directory.fittedScores, keys: .useDefaultKeys)
    let new = try merged(
      increment.shards.indices.map {
        ScoreFiles($0, of: increment, in: run.directory).statistics
      })
    return new.drift(from: fitted, least: run.configuration.refresh.minDrift)
  }

  private static func merged(_ files: [String]) throws(RunError) -> PairStatistics {
    var merged = PairStatistics()
    for file in files {
      merged.merge(try StateJSON.decode(PairStatistics.self, from: file, keys: .useDefaultKeys))
    }
    return merged
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

  /// The statistics file and the record of every shard of the folder's first increments.
  private static func scores(
    of directory: RunDirectory, increments: Int = .max
  ) throws(RunError) -> [(statistics: String, record: ShardScores)] {
    let pinned = try IncrementLog(of: directory).pinned
    guard !pinned.isEmpty else {
      throw .missing(file: directory.increment(0), remedy: "run `winnow score` first")
    }
    var scores: [(statistics: String, record: ShardScores)] = []
    for increment in pinned.prefix(increments) {
      for (i, record) in try ScoreFiles.records(of: increment, in: directory).enumerated() {
        scores.append((ScoreFiles(i, of: increment, in: directory).statistics, record))
      }
    }
    return scores
  }

  private static func digest(of records: [ShardScores]) -> String {
    let lines = records.map {
      "\($0.shardDigest) \($0.ensembleDigest) \($0.settingsDigest) \($0.fault ?? "")\n"
    }
    return Digest.of(Array(lines.sorted().joined().utf8))
  }
}
