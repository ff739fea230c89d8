import TensorFiles

/// What the notes on rejected samples tell of an input shard's scores: a part of its ``ScoreTable``, at a part of the
/// memory.
struct ScoreNotes {
  let details: ByteStrings
  /// `[n]`, as in the table.
  let combined: [Float]
  let bestCaptions: ByteStrings
  let bestScores: [Float]

  var count: Int { combined.count }

  /// - Throws: `RunError.file`, `.damagedState`, `.otherFormat`.
  init(path: String) throws(RunError) {
    let columns = try NPZColumns(
      path: path, only: ["detail", "combined", "best_caption", "best_score"])
    details = try columns.bytes("detail")
    combined = try columns.floats("combined").values
    bestCaptions = try columns.bytes("best_caption")
    bestScores = try columns.floats("best_score").values
    guard details.count == count, bestCaptions.count == count, bestScores.count == count else {
      throw .damagedState(file: path, detail: "columns of different length")
    }
  }
}
