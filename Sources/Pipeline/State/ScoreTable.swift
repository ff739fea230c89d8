import Foundation
import TensorFiles

/// The scores of one input shard, a row per sample read, in shard order: `.winnow/scores/000003-NAME.npz`.
struct ScoreTable: Equatable {
  /// Members' kinds; the width of the score columns.
  var kinds: Int
  var keys: ByteStrings = []
  /// Why the sample can't be judged; empty for judged pairs.
  var reasons: [String] = []
  var details: ByteStrings = []
  /// `[n, kinds]`, NaN where not judged.
  var observed: [Float] = []
  var randomRepaired: [Float] = []
  var clusterRepaired: [Float] = []
  /// `[n]`, the mean of `observed` over the kinds.
  var combined: [Float] = []
  /// `[n]`, the calibration part; -1 where not judged.
  var parts: [Int64] = []
  /// `[n]`, the caption of the bank that fits the image best, and how well; empty and NaN where not judged.
  var bestCaptions: [String] = []
  var bestScores: [Float] = []

  var count: Int { keys.count }

  init(kinds: Int) { self.kinds = kinds }

  /// - Throws: `TensorFileError`.
  func write(to path: String) throws {
    try NPZ.write(
      [
        NPZColumns.formatVersion,
        ("key", .bytes(keys)),
        ("observed", .float32(observed, shape: [count, kinds])),
        ("random_repaired", .float32(randomRepaired, shape: [count, kinds])),
        ("cluster_repaired", .float32(clusterRepaired, shape: [count, kinds])),
        ("combined", .float32(combined, shape: [count])),
        ("part", .int64(parts, shape: [count])),
        ("best_caption", .bytes(ByteStrings(bestCaptions.lazy.map(\.utf8)))),
        ("best_score", .float32(bestScores, shape: [count])),
        ("reason", .bytes(ByteStrings(reasons.lazy.map(\.utf8)))),
        ("detail", .bytes(details)),
      ], to: path)
  }

  /// - Throws: `RunError.file`, `.damagedState`, `.otherFormat`.
  init(path: String) throws {
    let columns = try NPZColumns(path: path)
    keys = try columns.bytes("key")
    reasons = try columns.text("reason")
    details = try columns.bytes("detail")
    let (values, shape) = try columns.floats("observed")
    kinds = shape.count == 2 ? shape[1] : 0
    observed = values
    randomRepaired = try columns.floats("random_repaired").values
    clusterRepaired = try columns.floats("cluster_repaired").values
    combined = try columns.floats("combined").values
    parts = try columns.integers("part")
    bestCaptions = try columns.text("best_caption")
    bestScores = try columns.floats("best_score").values
    let n = keys.count
    guard reasons.count == n, bestCaptions.count == n, bestScores.count == n, details.count == n,
      combined.count == n, parts.count == n,
      [observed, randomRepaired, clusterRepaired].allSatisfy({ $0.count == n * kinds })
    else { throw RunError.damagedState(file: path, detail: "columns of different length") }
  }
}
