import BenchmarkSupport
import Encoders
import Foundation
import Pipeline
import Reports

/// Trains and tests cells.
struct CellRunner {
  private let sets: PreparedSets
  private let pipeline: String
  private let texts: [String]
  private let epochs: Int
  private let winnow: Tool
  private let runs: String
  private let cache: CellCache

  init(
    sets: PreparedSets, out: String, pipeline: String, texts: [String], epochs: Int,
    winnow: Tool
  ) {
    (self.sets, self.pipeline, self.texts) = (sets, pipeline, texts)
    (self.epochs, self.winnow) = (epochs, winnow)
    runs = "\(out)/runs"
    cache = CellCache(folder: "\(out)/cells")
  }

  /// The result of an earlier run, under the same settings.
  func known(_ cell: Cell) throws -> CellResult? {
    cache.load(cell, settings: try settings(cell))
  }

  /// Trains (or goes on), tests every snapshot, and keeps the figures only.
  func run(_ cell: Cell) throws -> CellResult {
    let out = "\(runs)/\(cell.name)"
    say("training \(cell.name): \(sets.keys(cell).count) pairs, \(epochs(cell)) epochs")
    var arguments = [
      "train", sets.folder(cell), "--for", "downstream", "--pipeline", pipeline, "--quiet",
      "--out", out, "--seed", "\(cell.seed)", "--epochs", "\(epochs(cell))",
    ]
    if cell.text { arguments += texts.flatMap { ["--text", $0] } }
    let began = ContinuousClock.now
    try winnow.run(arguments)
    let seconds = (ContinuousClock.now - began) / .seconds(1)

    let test = try HeldOutTest(sets.heldOutFolder, pairs: sets.heldOut)
    let models = try snapshots(out)
    let curve = try models.map { model in
      CellResult.Point(
        pairsSeen: model.pairsSeen,
        retrieval: try test.retrieval(PretrainedModel(folder: model.path).encoder))
    }
    guard let last = models.last else { throw BenchError("\(out) holds no model") }
    let result = CellResult(
      cell: cell, settings: try settings(cell), pairs: sets.keys(cell).count,
      epochs: epochs(cell), seconds: seconds, curve: curve,
      classification: try test.classification(
        PretrainedModel(folder: last.path).encoder))
    try cache.store(result)
    try FileManager.default.removeItem(atPath: out)
    say(String(format: "  mean recall %.2f %%", 100 * (result.final?.meanRecall ?? 0)))
    return result
  }

  /// In order of training; the last one is the finished model.
  private func snapshots(_ out: String) throws -> [Snapshot] {
    struct Line: Decodable { var step: Int }
    let batch = try PipelineFile.load(pipeline).train.batchSize
    let directory = RunDirectory(out)
    let log = try String(contentsOfFile: directory.trainingLog, encoding: .utf8)
    guard let last = log.split(separator: "\n").last else { throw BenchError("\(out): no log") }
    let end = try JSONDecoder().decode(Line.self, from: Data(last.utf8))
    let folders = (try? FileManager.default.contentsOfDirectory(atPath: directory.snapshots)) ?? []
    let along = folders.sorted().compactMap { name in
      Int(name).map { step in
        Snapshot(path: "\(directory.snapshots)/\(name)", pairsSeen: step * batch)
      }
    }
    return along + [Snapshot(path: directory.model, pairsSeen: end.step * batch)]
  }

  /// As many steps as (a), as near as whole epochs come.
  private func epochs(_ cell: Cell) -> Int {
    let noisy = sets.keys(Cell(set: .noisy, text: false, seed: 0)).count
    return max(1, Int((Double(epochs * noisy) / Double(sets.keys(cell).count)).rounded()))
  }

  private func settings(_ cell: Cell) throws -> String {
    let keys = sets.keys(cell).sorted().joined(separator: " ")
    let sizes =
      cell.text
      ? try texts.map { "\($0) \(try Data(contentsOf: URL(fileURLWithPath: $0)).count)" } : []
    let file = try String(contentsOfFile: pipeline, encoding: .utf8)
    let heldOut = sets.heldOut.map(\.key).joined(separator: " ")
    let all = [file, keys, heldOut, "\(epochs(cell))"] + sizes
    return String(captionHash(all.joined(separator: "\n")), radix: 16)
  }
}

/// A model at one point of its training.
struct Snapshot {
  var path: String
  var pairsSeen: Int
}
