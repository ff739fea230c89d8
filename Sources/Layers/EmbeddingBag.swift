import VectorMath

/// For each bag of ids, the sum of their rows divided by the square root of their number; an empty bag gives 0.
///
/// With one id a bag it is a plain embedding; with the ids of a caption's words and character n-grams, fastText's
/// representation (Bojanowski et al. 2017).
public final class EmbeddingBag {
  /// `[rows, columns]`
  public let table: Parameter
  private let columns: Int

  /// The table is `[rows, columns]`, drawn from N(0, deviation^2).
  public init(
    _ name: String, rows: Int, columns: Int, deviation: Float = 0.1, _ random: inout SeededRandom
  ) {
    self.columns = columns
    table = .matrix(
      "\(name).weight", [rows, columns], fanIn: 1, gain: deviation * deviation, &random)
  }

  public var parameters: [Parameter] { [table] }

  /// - Parameters:
  ///   - ids: the ids of all bags, one after another; each the number of a row.
  ///   - ends: for each bag, where it ends in `ids`.
  /// - Returns: `[bags, columns]`
  public func forward(ids: [Int32], ends: [Int32], _ context: Context) -> Tensor {
    // Checked once a batch; as bits, a negative id is too high.
    let highest = ids.reduce(UInt32(0)) { max($0, UInt32(bitPattern: $1)) }
    precondition(ids.isEmpty || highest < table.shape[0], "an id beyond the embedding table")
    let y = context.pool.zeros([ends.count, columns])
    let rows = table.value
    var start = 0
    for (bag, end) in ends.enumerated() {
      let end = Int(end)
      let scale = 1 / Float(max(end - start, 1)).squareRoot()
      for id in ids[start..<end] {
        vm_axpy(scale, rows + Int(id) * columns, y.data + bag * columns, columns)
      }
      start = end
    }
    context.save(ids)
    context.save(ends)
    return y
  }

  public func backward(_ dy: Tensor, _ context: Context) {
    let ends = context.restoreIntegers()
    let ids = context.restoreIntegers()
    let gradient = table.gradient
    var start = 0
    for (bag, end) in ends.enumerated() {
      let end = Int(end)
      let scale = 1 / Float(max(end - start, 1)).squareRoot()
      for id in ids[start..<end] {
        vm_axpy(scale, dy.data + bag * columns, gradient + Int(id) * columns, columns)
      }
      start = end
    }
  }
}
