import ConfidentLearning
import Encoders
import Foundation
import Shards

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
  /// An increment and the folder that holds its scores.
  private typealias Scored = (increment: Increment, directory: RunDirectory)

  /// - Parameter directories: the output folders whose scores are merged.
  static func run(
    _ directories: [RunDirectory], in run: RunContext
  ) throws -> NoiseModelFile {
    try fit(try directories.flatMap { try scored(in: $0) }, in: run)
  }

  /// On the folder's first increment, which the later ones are cut by.
  static func runOnFirst(in run: RunContext) throws -> NoiseModelFile {
    try fit(Array(try scored(in: run.directory).prefix(1)), in: run)
  }

  private static func fit(_ scored: [Scored], in run: RunContext) throws -> NoiseModelFile {
    try Settings.pin([.noise], in: run)
    var first: ShardScores?
    var pairs = 0
    var scores = ScoresDigest()
    for (increment, directory) in scored {
      try ScoreFiles.forEachRecord(of: increment, in: directory) { _, record in
        first = first ?? record
        // Wrapping: a damaged record may hold any number.
        pairs &+= record.judged
        scores.add(record)
      }
    }
    let digest = scores.finish()
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
    let merged = try merged(scored, in: run)
    let noise = run.configuration.noise
    let model: NoiseModel
    do {
      model = try NoiseModel.fit(merged, repairing: noise.repairing, cut: noise.cut)
    } catch {
      // Too few pairs: the next run is to judge these shards together with what came since.
      if !run.directory.isPlanned(0) {
        try? FileManager.default.removeItem(atPath: run.directory.increment(0))
      }
      throw error
    }
    let result = NoiseModelFile(
      configurationDigest: try Settings.digest(run.configuration, sections: [.noise]),
      ensembleDigest: first?.ensembleDigest ?? "",
      scoring: first?.scoring ?? run.configuration.score.method, scoresDigest: digest,
      pairs: pairs, model: model)
    try run.publishing.publish(json: merged, to: run.directory.fittedScores)
    try run.publishing.publish(json: result, to: file)
    return result
  }

  /// The folder's noise model, for an increment that came after it was fitted, and what came of scoring that.
  /// - Throws: `RunError.otherEnsemble`, `.usage` where it isn't of scores like these.
  static func reuse(
    for increment: Increment, in run: RunContext
  ) throws -> (noise: NoiseModelFile, scored: ScoreSummary) {
    // Read once there is a score: where there are none, those are what is missing.
    var noise: NoiseModelFile?
    var scored = ScoreSummary()
    try ScoreFiles.forEachRecord(of: increment, in: run.directory) { i, record in
      let model = try noise ?? NoiseModelFile(of: run.directory)
      noise = model
      guard record.ensembleDigest == model.ensembleDigest else {
        throw RunError.otherEnsemble(
          file: run.directory.noiseModel, has: model.ensembleDigest, wanted: record.ensembleDigest,
          remedy: "run `winnow fit` on the folder's own scores")
      }
      guard record.scoring == model.scoring else {
        throw RunError.usage(
          "\(run.directory.noiseModel) is of \(model.scoring.rawValue) scores, the folder's are of "
            + "\(record.scoring.rawValue): run `winnow fit` on the folder's own scores")
      }
      scored.add(record, of: increment.shards[i])
    }
    return (try noise ?? NoiseModelFile(of: run.directory), scored)
  }

  /// How the increment's scores differ from those fitted on; nil for the first increment, which was fitted on itself.
  static func drift(of increment: Increment, in run: RunContext) throws -> Drift? {
    guard increment.index > 0,
      FileManager.default.fileExists(atPath: run.directory.fittedScores)
    else { return nil }
    let fitted = try StateJSON.decode(
      PairStatistics.self, from: run.directory.fittedScores, keys: .useDefaultKeys)
    return try merged([(increment, run.directory)], in: run).drift(
      from: fitted, least: run.configuration.refresh.minDrift)
  }

  private static func merged(
    _ scored: [Scored], in run: RunContext
  ) throws(RunError) -> PairStatistics {
    var merged = PairStatistics()
    for (increment, directory) in scored {
      for i in increment.shards.indices {
        try run.cancellation.check()
        let file = ScoreFiles(i, of: increment, in: directory).statistics
        merged.merge(try StateJSON.decode(PairStatistics.self, from: file, keys: .useDefaultKeys))
      }
    }
    return merged
  }

  /// Refuses folders that can't be merged, before anything is made.
  /// - Throws: `RunError.missing`, `.usage`, `.otherEnsemble`, `.shardChanged`.
  static func check(_ directories: [RunDirectory]) throws {
    let paths = directories.map { ShardPath(path: absolutePath($0.path)) }
    guard Set(paths).count == paths.count else {
      throw RunError.usage("a folder named twice; its pairs would count twice")
    }
    var first: String?
    var scoring: ScoringMethod?
    for (increment, directory) in try directories.flatMap({ try scored(in: $0) }) {
      try ScoreFiles.forEachRecord(of: increment, in: directory) { _, record in
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

  /// The folder's increments.
  /// - Throws: `RunError.missing` where it has none.
  private static func scored(in directory: RunDirectory) throws(RunError) -> [Scored] {
    let pinned = try IncrementLog(of: directory).pinned
    guard !pinned.isEmpty else {
      throw .missing(file: directory.increment(0), remedy: "run `winnow score` first")
    }
    return pinned.map { ($0, directory) }
  }
}
