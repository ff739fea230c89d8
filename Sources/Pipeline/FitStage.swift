import ConfidentLearning
import Foundation

/// `DIR/noise-model.json`: the noise model's own fields, and what it was fitted on.
public struct NoiseModelFile: Codable, Sendable, Equatable {
  public var formatVersion = StateJSON.formatVersion
  /// XXH3-128 of the `noise` settings.
  public var configurationDigest: String
  public var ensembleDigest: String
  /// Judged pairs.
  public var pairs: Int
  public var model: NoiseModel

  enum CodingKeys: String, CodingKey {
    case formatVersion = "format_version"
    case configurationDigest = "configuration_digest"
    case ensembleDigest = "ensemble_digest"
    case pairs
  }

  /// - Throws: `RunError.missing`, `.otherFormat`, `.damagedState`.
  public init(of directory: RunDirectory) throws(RunError) {
    self = try StateJSON.decode(
      NoiseModelFile.self, from: directory.noiseModel, keys: .useDefaultKeys,
      remedy: "run `winnow fit` first")
  }

  init(configurationDigest: String, ensembleDigest: String, pairs: Int, model: NoiseModel) {
    self.configurationDigest = configurationDigest
    self.ensembleDigest = ensembleDigest
    self.pairs = pairs
    self.model = model
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    formatVersion = try container.decode(Int.self, forKey: .formatVersion)
    configurationDigest = try container.decode(String.self, forKey: .configurationDigest)
    ensembleDigest = try container.decode(String.self, forKey: .ensembleDigest)
    pairs = try container.decode(Int.self, forKey: .pairs)
    model = try NoiseModel(from: decoder)
  }

  public func encode(to encoder: any Encoder) throws {
    try model.encode(to: encoder)
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(formatVersion, forKey: .formatVersion)
    try container.encode(configurationDigest, forKey: .configurationDigest)
    try container.encode(ensembleDigest, forKey: .ensembleDigest)
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
    let file = run.directory.noiseModel
    if FileManager.default.fileExists(atPath: file) {
      return try NoiseModelFile(of: run.directory)
    }
    var merged = PairStatistics()
    var ensemble: String?
    var pairs = 0
    for directory in directories {
      for path in try records(of: directory) {
        let record = try StateJSON.decode(ShardScores.self, from: path)
        if let ensemble, ensemble != record.ensembleDigest {
          throw RunError.otherEnsemble(
            directory: directory.path, found: record.ensembleDigest, expected: ensemble)
        }
        ensemble = record.ensembleDigest
        pairs +=
          record.read - record.rejected.values.reduce(0, +)
          - record.unreadable.values.reduce(0, +)
        merged.merge(
          try StateJSON.decode(
            PairStatistics.self, from: ScoreStage.statisticsPath(path), keys: .useDefaultKeys))
      }
    }
    let noise = run.configuration.noise
    let model = try NoiseModel.fit(merged, repairing: noise.repairing, cut: noise.cut)
    let result = NoiseModelFile(
      configurationDigest: try Settings.digest(run.configuration, sections: [.noise]),
      ensembleDigest: ensemble ?? "", pairs: pairs, model: model)
    try run.publishing.publish(json: result, to: file)
    return result
  }

  private static func records(of directory: RunDirectory) throws(RunError) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: directory.scores)) ?? []
    let records = names.filter { $0.hasSuffix(ScoreStage.recordSuffix) }.sorted()
    guard !records.isEmpty else {
      throw .missing(file: directory.scores, remedy: "run `winnow score` first")
    }
    return records.map { "\(directory.scores)/\($0)" }
  }
}
