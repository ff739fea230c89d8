import ConfidentLearning
import Encoders
import Foundation
import Layers
import Shards
import Training

/// What a run would come to, told from a sample of its pairs.
public struct DryRunReport: Sendable, Codable {
  /// The shards that the run would judge; nothing else is told where there are none.
  public var shards: Int
  /// Shards whose result the output folder holds: only the new ones are told of.
  public var finishedShards = 0
  /// Bytes of all shards as they are stored; of what commands print, estimated.
  public var bytes: Int64
  public var sampledPairs: Int
  /// Estimated from the sampled shards' pairs a byte.
  public var pairs: Int
  public var noise: Manifest.Noise
  /// Shares of the sampled pairs.
  public var kept: Double
  public var rejected: [String: Double]
  /// Estimates of what will be on the disk.
  public var cleanBytes: Int64
  public var rejectedBytes: Int64
  /// Of `.winnow` and `decisions`, and what training needs for the while.
  public var stateBytes: Int64
  public var trainingBytes: Int64
  /// Estimated seconds, by stage, with as many workers as here.
  public var seconds: [String: Double]

  public var totalSeconds: Double { seconds.values.reduce(0, +) }
}

extension Run {
  /// Cleans a sample of the pairs in a temporary folder, and tells what the whole would come to. Nothing is written to the
  /// output folder. Of a folder with finished increments only the shards that are new are told of, judged and cut as they
  /// would be; what is known by another path or time counts as new, since nothing is hashed.
  ///
  /// - Parameter sample: pairs to sample, from shards spread over the list.
  /// - Throws: as `clean`.
  public static func dryRun(
    _ shards: ShardSelection, ensemble: String?, sample: Int = 2000, in run: RunContext
  ) throws -> DryRunReport {
    guard !shards.isEmpty else { throw RunError.usage("no shards given") }
    try shards.checkApart(from: run.directory)
    try run.directory.checkOrigin()
    run.commands.allow(shards)
    let log = try IncrementLog(of: run.directory)
    var (selection, ensemble, noise) = (shards, ensemble, NoiseModelFile?.none)
    if log.finished > 0 {
      let manifest = try checkFinished(
        ensemble: ensemble, Settings.Section.allCases, in: run)
      try OutputCheck.checkVital(manifest, in: run)
      selection = log.filterNew(shards)
      ensemble = run.directory.path
      noise = try NoiseModelFile(of: run.directory)
      guard !selection.isEmpty else {
        return DryRunReport(nothingNewOf: shards.paths.count, noise: manifest.noise)
      }
    }
    let folder = NSTemporaryDirectory() + "winnow-dry-run-\(UUID().uuidString)"
    let directory = RunDirectory(folder + "/out")
    try directory.makeFolder(folder)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let drawn = try DryRunSample(selection, pairs: sample, to: folder, in: run)
    guard !drawn.shards.isEmpty else {
      throw RunError.usage("none of the shards that were sampled can be read")
    }
    let inner = try RunContext(
      configuration: run.configuration, directory: directory, cancellation: run.cancellation,
      observe: { event in
        // Its stages are no stages of the run asked for, but it takes its time.
        switch event {
        case .progress, .began: run.observe(event)
        case .ended, .note: break
        }
      })
    let result = try locked(inner) {
      let increment = try inner.stage(.pin) {
        try Increment.pin(ShardSelection(shards: drawn.shards), in: inner)
      }
      return try clean(increment, ensemble: ensemble, noise: noise, in: inner)
    }
    guard let manifest = result.manifest else { throw RunError.usage("no shards given") }
    var report = try report(manifest, drawn, trains: ensemble == nil, in: inner)
    report.finishedShards = shards.paths.count - selection.paths.count
    return report
  }

  private static func report(
    _ manifest: Manifest, _ drawn: DryRunSample, trains: Bool, in run: RunContext
  ) throws -> DryRunReport {
    let ledger = manifest.ledger
    let read = Double(max(1, ledger.read))
    let pairs = Int((read * drawn.factor).rounded())
    func grown(_ bytes: Int64) -> Int64 { Int64(Double(bytes) * drawn.factor) }
    var seconds = manifest.timings.seconds
    let sampled = seconds
    for (stage, value) in sampled { seconds[stage] = value * drawn.factor }
    let judges = run.configuration.judges
    if trains {
      // Steps, and not pairs, are what training takes; it stops growing at `maxPairs`.
      let steps = judges.steps(pairs: min(pairs, judges.maxPairs))
      let ratio = Double(steps) / Double(max(1, judges.steps(pairs: ledger.read)))
      seconds[Stage.train.rawValue] = (sampled[Stage.train.rawValue] ?? 0) * ratio
    }
    // Fitting looks at counts, whatever the number of pairs.
    seconds[Stage.fit.rawValue] = sampled[Stage.fit.rawValue]
    let state = try folderBytes(run.directory.scores) + folderBytes(run.directory.decisions)
    let trained = judges.members.filter { $0.pretrained == nil }
    let perPair =
      TrainingConfiguration.diskBytesAPair(trained)
      + trained.thumbnailForms.reduce(0) {
        $0 + $1.side * $1.side * 3
      }
    return DryRunReport(
      shards: drawn.total, bytes: drawn.totalBytes, sampledPairs: ledger.read, pairs: pairs,
      noise: manifest.noise, kept: Double(ledger.kept) / read,
      rejected: ledger.rejected.mapValues { Double($0) / read },
      cleanBytes: grown(manifest.clean.reduce(0) { $0 + $1.bytes }),
      rejectedBytes: grown(manifest.rejected.reduce(0) { $0 + $1.bytes }),
      stateBytes: grown(state),
      trainingBytes: trains ? Int64(min(pairs, judges.maxPairs) * perPair) : 0,
      seconds: seconds)
  }

  private static func folderBytes(_ folder: String) throws -> Int64 {
    try FileManager.default.contentsOfDirectory(atPath: folder).reduce(0) {
      $0 + ((try? FileIdentity(of: "\(folder)/\($1)").size) ?? 0)
    }
  }
}

extension DryRunReport {
  fileprivate init(nothingNewOf finishedShards: Int, noise: Manifest.Noise) {
    self.init(
      shards: 0, finishedShards: finishedShards, bytes: 0, sampledPairs: 0, pairs: 0, noise: noise,
      kept: 0, rejected: [:], cleanBytes: 0, rejectedBytes: 0, stateBytes: 0, trainingBytes: 0,
      seconds: [:])
  }
}
