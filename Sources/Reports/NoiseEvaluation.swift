import ConfidentLearning
import Foundation
import Pipeline

/// How well a run found known swaps: `winnow eval noise`.
public struct NoiseEvaluation: Codable, Sendable, Equatable {
  /// Areas under the ROC curve.
  public struct Member: Codable, Sendable, Equatable {
    public var name: String
    public var alone: Double?
    public var without: Double?
  }

  public var formatVersion = 2
  /// Judged pairs that the truth file knows.
  public var pairs: Int
  /// Area under the ROC curve of the mismatch probability.
  public var auroc: Double?
  /// The same, swaps of one kind against unswapped pairs.
  public var aurocByKind: [String: Double]
  /// Each kind of member: by its own score, and what the mean of the other kinds gives without it.
  public var members: [Member] = []
  public var averagePrecision: Double?
  public var trueNoiseRate: Double
  public var estimatedNoiseRate: Double
  public var noiseRateInterval: Interval?
  public var cautiousNoiseRate: Double
  /// Of the pairs cut, the share that is swapped.
  public var precision: Double?
  /// Of the swapped pairs, the share that is cut.
  public var recall: Double?
  /// The share of swapped pairs among those kept.
  public var keptNoiseRate: Double?
  /// Of the mismatch probability.
  public var calibration: CalibrationMetrics

  /// - Throws: when the run isn't finished, its decisions lack scores of the manifest's kinds, or the truth knows none of
  ///   its pairs.
  public init(of directory: RunDirectory, truth: NoiseTruth) throws {
    let manifest = try Manifest(of: directory)
    let kinds = manifest.provenance.kinds
    var mismatch: [Float] = []
    var kept: [Bool] = []
    var entries: [NoiseTruth.Entry] = []
    var scores: [[Float]] = []
    let files = try FileManager.default.contentsOfDirectory(atPath: directory.decisions)
    for file in files.sorted() where file.hasSuffix(".npz") {
      let path = "\(directory.decisions)/\(file)"
      let table = try DecisionTable(path: path)
      guard table.kinds >= kinds.count else {
        throw RunError.damagedState(
          file: path,
          detail: "it has scores of \(table.kinds) kinds, the manifest tells of \(kinds.count)")
      }
      for row in 0..<table.count where !table.mismatch[row].isNaN {
        let key = String(decoding: table.keys[row], as: UTF8.self)
        guard let entry = truth.entries[key] else { continue }
        mismatch.append(table.mismatch[row])
        kept.append(table.kept[row])
        entries.append(entry)
        scores.append(Array(table.scores[(row * table.kinds)..<((row + 1) * table.kinds)]))
      }
    }
    self.init(mismatch: mismatch, kept: kept, truth: entries)
    guard pairs > 0 else {
      throw RunError.usage("the truth file knows none of the pairs in \(directory.path)")
    }
    members = Self.members(kinds, scores: scores, swapped: entries.map(\.isSwapped))
    estimatedNoiseRate = manifest.noise.noiseRate
    noiseRateInterval = manifest.noise.noiseRateInterval
    cautiousNoiseRate = manifest.noise.cautiousNoiseRate
  }

  /// The figures that need no noise model.
  init(mismatch: [Float], kept: [Bool], truth: [NoiseTruth.Entry]) {
    let swapped = truth.map(\.isSwapped)
    pairs = truth.count
    auroc = RankingMetrics.auroc(scores: mismatch, positives: swapped)
    averagePrecision = RankingMetrics.averagePrecision(scores: mismatch, positives: swapped)
    aurocByKind = [:]
    for kind in Set(truth.filter(\.isSwapped).map(\.kind)) {
      let chosen = truth.indices.filter { !truth[$0].isSwapped || truth[$0].kind == kind }
      aurocByKind[kind] = RankingMetrics.auroc(
        scores: chosen.map { mismatch[$0] }, positives: chosen.map { swapped[$0] })
    }
    func ratio(_ part: Int, _ whole: Int) -> Double? {
      whole == 0 ? nil : Double(part) / Double(whole)
    }
    let cut = kept.count { !$0 }
    let noise = swapped.count { $0 }
    let found = zip(kept, swapped).count { !$0 && $1 }
    trueNoiseRate = ratio(noise, pairs) ?? 0
    precision = ratio(found, cut)
    recall = ratio(found, noise)
    keptNoiseRate = ratio(noise - found, pairs - cut)
    calibration = CalibrationMetrics(probabilities: mismatch, positives: swapped)
    estimatedNoiseRate = 0
    cautiousNoiseRate = 0
  }

  /// - Parameter scores: for each pair one of each kind; higher is a better match.
  static func members(_ names: [String], scores: [[Float]], swapped: [Bool]) -> [Member] {
    func auroc(_ score: ([Float]) -> Float) -> Double? {
      RankingMetrics.auroc(scores: scores.map { -score($0) }, positives: swapped)
    }
    return names.indices.map { kind in
      Member(
        name: names[kind], alone: auroc { $0[kind] },
        without: names.count > 1 ? auroc { $0.reduce(0, +) - $0[kind] } : nil)
    }
  }

  /// A line a figure.
  public var text: String {
    func show(_ value: Double?) -> String { value.map { String(format: "%.3f", $0) } ?? "-" }
    var lines = [("pairs", "\(pairs)"), ("AUROC", show(auroc))]
    for (kind, value) in aurocByKind.sorted(by: { $0.key < $1.key }) {
      lines.append(("  \(kind) swaps", show(value)))
    }
    for member in members {
      lines.append(("  \(member.name) alone", show(member.alone)))
      lines.append(("  without \(member.name)", show(member.without)))
    }
    lines += [
      ("average precision", show(averagePrecision)),
      ("noise rate, true", show(trueNoiseRate)),
      (
        "noise rate, estimated",
        show(estimatedNoiseRate)
          + (noiseRateInterval.map { " (\(show($0.low)) to \(show($0.high)))" } ?? "")
      ),
      ("noise rate, cautious estimate", show(cautiousNoiseRate)),
      ("calibration error of mismatch", show(calibration.error)),
      ("  were it calibrated", show(calibration.idealError)),
      ("precision of the cut", show(precision)), ("recall of the cut", show(recall)),
      ("noise left among the kept", show(keptNoiseRate)),
    ]
    return aligned(lines)
  }

  public func json() throws -> String { try reportJSON(self) }
}
