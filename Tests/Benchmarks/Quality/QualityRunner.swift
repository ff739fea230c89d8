import BenchmarkSupport
import ConfidentLearning
import Foundation
import Pipeline
import Reports

/// Makes a cell's corpus, has `winnow` judge it in every way, and measures.
struct QualityRunner {
  var out: String
  /// The unpacked Debian packages' `share` folder.
  var packages: String
  /// The judges; nil for the default ones.
  var judges: String?
  var ecl: String
  var handChecked: [String: String]
  var winnow: Tool
  var buildSamples: Tool

  static let standard = "bank-likelihood"
  static let alternatives = ["in-batch-likelihood", "cosine", "pseudo-class"]
  static let limits = [0.02, 0.05, 0.1]

  /// Of everything that decides a result: the commands, the pipeline files, the hand check.
  private let settings: String

  init(
    out: String, packages: String, judges: String?, ecl: String, handChecked: [String: String],
    winnow: Tool, buildSamples: Tool
  ) throws {
    (self.out, self.packages, self.judges, self.ecl) = (out, packages, judges, ecl)
    (self.handChecked, self.winnow, self.buildSamples) = (handChecked, winnow, buildSamples)
    settings = try ([winnow.path, buildSamples.path, ecl] + [judges].compactMap { $0 })
      .map { try fingerprint(ofFile: $0) }.joined(separator: " ")
  }

  /// The result of an earlier run with these settings.
  func known(_ cell: QualityCell) -> QualityResult? {
    guard let data = FileManager.default.contents(atPath: file(cell)) else { return nil }
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let result = try? decoder.decode(QualityResult.self, from: data)
    return result?.settings == settings && result?.cell == cell ? result : nil
  }

  func run(_ cell: QualityCell) throws -> QualityResult {
    say("\(cell.name)")
    let start = ContinuousClock.now
    let folder = "\(out)/work/\(cell.name)"
    // Of other settings, or of a run that was stopped: what is finished in it is not judged again.
    let pinned = "\(folder)/settings.txt"
    if (try? String(contentsOfFile: pinned, encoding: .utf8)) != settings {
      try? FileManager.default.removeItem(atPath: folder)
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      try settings.write(toFile: pinned, atomically: true, encoding: .utf8)
    }
    let corpus = "\(folder)/corpus"
    if !FileManager.default.fileExists(atPath: corpus) { try build(cell, at: corpus) }
    let truth = try NoiseTruth(String(contentsOfFile: "\(corpus)/truth.tsv", encoding: .utf8))

    let standard = "\(folder)/\(Self.standard)"
    try clean(cell, corpus, to: standard, judges.map { ["--pipeline", $0] } ?? [])
    let judged = try Judged(standard, truth: truth)
    var rows = [try row("ensemble: bank likelihood", judged, keep: judged.kept)]
    for (kind, name) in judged.kinds.enumerated() {
      rows.append(judged.row("  \(name) alone", score: { $0[kind] }, keep: judged.kept))
    }
    for method in Self.alternatives {
      let place = "\(folder)/\(method)"
      try clean(cell, corpus, to: place, ["--ensemble", standard, "--scoring", method])
      let other = try Judged(place, truth: truth)
      rows.append(try row("ensemble: \(method)", other, keep: judged.kept))
      if method == "cosine" {
        rows.append(
          other.row("top-k: cosine of \(other.kinds[0])", score: { $0[0] }, keep: judged.kept))
      }
    }
    if cell.corpus == .sample, cell.level == 0.3 {
      try clean(cell, corpus, to: "\(folder)/ecl", ["--pipeline", ecl])
      let other = try Judged("\(folder)/ecl", truth: truth)
      var released = try row("ECL", other, keep: judged.kept)
      (released.noiseRate, released.low, released.high, released.excessCalibrationError) =
        (nil, nil, nil, nil)
      rows.append(released)
    }
    let result = QualityResult(
      cell: cell, settings: settings, pairs: judged.swapped.count, swapped: judged.noise,
      truth: judged.noise + (1 - judged.noise) * cell.corpus.naturalNoise, rows: rows,
      limits: try Self.limits.map { try limit($0, standard, judged, folder) },
      checked: cell.corpus == .sample && cell.level == 0 ? checked(judged) : [:],
      seconds: (ContinuousClock.now - start) / .seconds(1))
    try FileManager.default.createDirectory(
      atPath: "\(out)/cells", withIntermediateDirectories: true)
    try json(result).write(to: URL(fileURLWithPath: file(cell)), options: .atomic)
    try FileManager.default.removeItem(atPath: folder)
    return result
  }

  private func file(_ cell: QualityCell) -> String { "\(out)/cells/\(cell.name).json" }

  private func build(_ cell: QualityCell, at path: String) throws {
    var arguments = [
      "--out", path, "--seed", "\(cell.seed)", "--swap", "\(cell.level)", "--swap-kind",
      cell.kind.rawValue,
    ]
    if let limit = cell.limit { arguments += ["--limit", "\(limit)"] }
    if cell.corpus == .sample || cell.corpus == .titles {
      arguments += ["--openclipart", "\(packages)/openclipart"]
    }
    if cell.corpus != .titles { arguments += ["--stamps", "\(packages)/tuxpaint/stamps"] }
    switch cell.corpus {
    case .sample: break
    case .titles: arguments += ["--max-title-uses", "2"]
    case .stampsEnglish: arguments += ["--stamp-language", "english"]
    case .stampsChinese: arguments += ["--stamp-language", "chinese"]
    }
    try buildSamples.run(arguments)
  }

  private func clean(
    _ cell: QualityCell, _ corpus: String, to place: String, _ more: [String]
  ) throws {
    try winnow.run(
      ["clean", corpus, "--out", place, "--seed", "\(cell.seed)", "--quiet"] + more)
  }

  /// The row of a method that has a noise model and a cut of its own.
  private func row(_ name: String, _ judged: Judged, keep: Double) throws -> QualityRow {
    var row = judged.row(name, score: { $0.reduce(0, +) }, keep: keep)
    let model = judged.model
    let calibration = CalibrationMetrics(
      probabilities: judged.mismatch, positives: judged.swapped)
    row.noiseRate = model.noiseRate
    row.low = model.noiseRateInterval.low
    row.high = model.noiseRateInterval.high
    row.excessCalibrationError = calibration.error - calibration.idealError
    row.dropped = 1 - judged.kept
    (row.precision, row.recall) = judged.cut
    return row
  }

  private func limit(
    _ asked: Double, _ standard: String, _ judged: Judged, _ folder: String
  ) throws -> QualityResult.Limit {
    let place = "\(folder)/limit-\(asked)"
    try winnow.run(["fit", standard, "--out", place, "--max-noise", "\(asked)", "--quiet"])
    let model = try NoiseModelFile(of: RunDirectory(place)).model
    let kept = judged.scores.indices.filter { i in
      model.keeps(judged.scores[i].reduce(0, +) / Float(judged.kinds.count))
    }
    let noise = kept.count { judged.swapped[$0] }
    return .init(
      asked: asked, reachable: model.reachable,
      keptNoise: kept.isEmpty ? 0 : Double(noise) / Double(kept.count),
      kept: Double(kept.count) / Double(judged.scores.count))
  }

  private func checked(_ judged: Judged) -> [String: [Int]] {
    var counts: [String: [Int]] = [:]
    for (key, isKept) in zip(judged.keys, judged.isKept) {
      guard let verdict = handChecked[key] else { continue }
      counts[verdict, default: [0, 0]][0] += 1
      if !isKept { counts[verdict, default: [0, 0]][1] += 1 }
    }
    return counts
  }
}

/// The judged pairs of a finished run beside the truth.
struct Judged {
  var kinds: [String]
  var model: NoiseModel
  var keys: [String] = []
  var scores: [[Float]] = []
  var mismatch: [Float] = []
  var isKept: [Bool] = []
  var swapped: [Bool] = []

  init(_ path: String, truth: NoiseTruth) throws {
    let directory = RunDirectory(path)
    kinds = try Manifest(of: directory).provenance.kinds
    model = try NoiseModelFile(of: directory).model
    let files = try FileManager.default.contentsOfDirectory(atPath: directory.decisions)
    for file in files.sorted() where file.hasSuffix(".npz") {
      let table = try DecisionTable(path: "\(directory.decisions)/\(file)")
      for row in 0..<table.count where !table.mismatch[row].isNaN {
        let key = String(decoding: table.keys[row], as: UTF8.self)
        guard let entry = truth.entries[key] else { continue }
        keys.append(key)
        scores.append(Array(table.scores[(row * table.kinds)..<((row + 1) * table.kinds)]))
        mismatch.append(table.mismatch[row])
        isKept.append(table.kept[row])
        swapped.append(entry.isSwapped)
      }
    }
    if keys.isEmpty { throw BenchError("\(path): no judged pair is in truth.tsv") }
  }

  private func share(_ part: Int, _ whole: Int) -> Double? {
    whole == 0 ? nil : Double(part) / Double(whole)
  }

  var noise: Double { Double(swapped.count { $0 }) / Double(swapped.count) }

  /// The share that its own cut keeps.
  var kept: Double { Double(isKept.count { $0 }) / Double(isKept.count) }

  var cut: (precision: Double?, recall: Double?) {
    let found = zip(isKept, swapped).count { !$0 && $1 }
    return (share(found, isKept.count { !$0 }), share(found, swapped.count { $0 }))
  }

  /// The figures that a score alone has.
  func row(_ name: String, score: ([Float]) -> Float, keep: Double) -> QualityRow {
    let values = scores.map { -score($0) }
    let best = values.indices.sorted { (values[$0], $0) < (values[$1], $1) }
      .prefix(Int((keep * Double(values.count)).rounded()))
    return QualityRow(
      method: name, auroc: RankingMetrics.auroc(scores: values, positives: swapped),
      averagePrecision: RankingMetrics.averagePrecision(scores: values, positives: swapped),
      noiseAtEqualKeep: share(best.count { swapped[$0] }, best.count))
  }
}
