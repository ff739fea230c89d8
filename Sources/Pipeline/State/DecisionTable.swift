import TensorFiles

/// What was decided of every sample read of one input shard: `DIR/decisions/000003-NAME.npz`.
public struct DecisionTable: Equatable, Sendable {
  public var kinds: Int
  public var keys: ByteStrings
  /// `[n, kinds]`, NaN where not judged.
  public var scores: [Float]
  /// `[n]`, the probability that the pair is mismatched; NaN where not judged.
  public var mismatch: [Float]
  /// `[n]`, the same by the cautious noise rate, which the cut goes by; NaN where not judged.
  public var cautiousMismatch: [Float]
  public var kept: [Bool]
  /// Empty for kept pairs, `Reason.mismatch` for cut ones, `Reason.repeatedKey` for those of a key too many, else why the
  /// sample is no pair.
  public var reasons: [String]

  public var count: Int { keys.count }

  /// The output shards that row `i` belongs into; nil where its bytes can't be had.
  func destination(_ i: Int) -> Plan.Destination? {
    if kept[i] { return .clean }
    return Reason.unreadable.contains(reasons[i]) ? nil : .rejected
  }

  init(kinds: Int) {
    self.kinds = kinds
    (keys, scores, mismatch, cautiousMismatch, kept, reasons) = ([], [], [], [], [], [])
  }

  /// - Throws: `RunError.file`, `.damagedState`, `.otherFormat`.
  public init(path: String) throws {
    let columns = try NPZColumns(path: path)
    keys = try columns.bytes("key")
    let shape: [Int]
    (scores, shape) = try columns.floats("scores")
    kinds = shape.count == 2 ? shape[1] : 0
    mismatch = try columns.floats("mismatch").values
    cautiousMismatch = try columns.floats("cautious_mismatch").values
    kept = try columns.flags("kept")
    reasons = try columns.text("reason")
    let n = keys.count
    guard scores.count == n * kinds, mismatch.count == n, cautiousMismatch.count == n,
      kept.count == n, reasons.count == n
    else { throw RunError.damagedState(file: path, detail: "columns of different length") }
  }

  func write(to path: String) throws {
    try NPZ.write(
      [
        NPZColumns.formatVersion,
        ("key", .bytes(keys)),
        ("scores", .float32(scores, shape: [count, kinds])),
        ("mismatch", .float32(mismatch, shape: [count])),
        ("cautious_mismatch", .float32(cautiousMismatch, shape: [count])),
        ("kept", .bool(kept)),
        ("reason", .bytes(ByteStrings(reasons.lazy.map(\.utf8)))),
      ], to: path)
  }
}
