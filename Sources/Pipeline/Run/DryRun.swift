import ConfidentLearning
import Encoders
import Foundation
import Layers
import Shards
import Training

/// What a run would come to, told from a sample of its pairs.
public struct DryRunReport: Sendable, Codable {
  public var shards: Int
  /// Bytes of all shards as they are stored.
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
  /// output folder.
  ///
  /// - Parameter sample: pairs to sample, from shards spread over the list.
  /// - Throws: as `clean`.
  public static func dryRun(
    _ shards: ShardSelection, ensemble: String?, sample: Int = 2000, in run: RunContext
  ) throws -> DryRunReport {
    guard !shards.isEmpty else { throw RunError.usage("no shards given") }
    try shards.checkFiles()
    try shards.checkApart(from: run.directory)
    let folder = NSTemporaryDirectory() + "winnow-dry-run-\(UUID().uuidString)"
    let directory = RunDirectory(folder + "/out")
    try directory.makeFolder(folder)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let drawn = try Sampling(shards, pairs: sample, to: folder, in: run)
    let inner = try RunContext(
      configuration: run.configuration, directory: directory, cancellation: run.cancellation,
      observe: { event in
        // Its stages are no stages of the run asked for, but it takes its time.
        switch event {
        case .progress, .began: run.observe(event)
        case .ended, .note: break
        }
      })
    let result = try clean(
      ShardSelection(shards: drawn.shards), ensemble: ensemble, in: inner)
    guard let manifest = result.manifest else { throw RunError.usage("no shards given") }
    return try report(manifest, drawn, trains: ensemble == nil, in: inner)
  }

  private static func report(
    _ manifest: Manifest, _ drawn: Sampling, trains: Bool, in run: RunContext
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

/// The first pairs of shards spread evenly over a list, written to shards of their own.
private struct Sampling {
  var shards: [ShardPath] = []
  /// All shards of the list, and their bytes.
  let total: Int
  var totalBytes: Int64 = 0
  /// How many times the sample the whole is.
  private(set) var factor = 1.0

  init(
    _ selection: ShardSelection, pairs: Int, to folder: String, in run: RunContext
  ) throws {
    let paths = selection.paths
    total = paths.count
    for path in paths { totalBytes += (try? FileIdentity(of: path).size) ?? 0 }
    let count = min(16, paths.count)
    var (sampled, found) = (0.0, 0)
    for i in 0..<count {
      try run.cancellation.check()
      let path = paths[i * paths.count / count]
      guard let size = try? FileIdentity(of: path).size else { continue }
      let reader = ShardReader(path: path, limits: run.configuration.read.limits)
      let own = "\(folder)/\(RunDirectory.padded(i)).tar"
      let writer = try ShardWriter(path: own, compression: .none)
      var left = (pairs - found + count - i - 1) / (count - i)
      while left > 0, let event = reader.next() {
        left -= 1
        found += 1
        if case .sample(let sample) = event {
          for member in sample.members { try writer.append(member) }
        }
      }
      try writer.finish()
      // What was read ahead counts for little once a few megabytes are read.
      sampled += left > 0 ? Double(size) : min(Double(size), Double(reader.report.storedBytes))
      shards.append(ShardPath(path: own))
    }
    if sampled > 0 { factor = max(1, Double(totalBytes) / sampled) }
  }
}
