/// Intervals in which the thresholds are guessed to lie.
struct ThresholdGuess: Sendable {
  /// The interval of each class as it is guessed now, `[K]`; numbers that both types hold.
  private(set) var low: [Double]
  private(set) var high: [Double]
  /// What all guesses so far have in common.
  private var highestLow: [Double]
  private var lowestHigh: [Double]
  /// Rows from which on a better guess is made.
  private var next: Int

  init(classes: Int) {
    low = Array(repeating: 0, count: classes)
    high = Array(repeating: Self.beyond, count: classes)
    highestLow = low
    lowestHigh = high
    next = 16 * classes
  }

  /// Above the threshold of a class that is never given.
  private static let beyond = 3.0

  /// - Returns: whether there is a guess.
  mutating func update(_ known: ClassStatistics) -> Bool {
    let rows = known.count
    if rows < next { return next > 16 * low.count }
    next = rows + rows / 4
    let counts = known.counts
    let means = known.thresholds(.paper)
    let weighted = zip(means, counts).reduce(0) { $0 + $1.0 * Double($1.1) }
    let average = weighted / Double(rows)
    for k in low.indices {
      // Five standard errors for a standard deviation of 0.3.
      let width = 1.5 / Double(counts[k]).squareRoot()
      let isRare = counts[k] < 9
      let least = (isRare ? min(means[k], average) : means[k]) / 4
      low[k] = Double(Float(isRare ? least : max(means[k] - width, least)))
      high[k] = Double(Float(isRare ? Self.beyond : means[k] + width))
      highestLow[k] = max(highestLow[k], low[k])
      lowestHigh[k] = min(lowestHigh[k], high[k])
    }
    return true
  }

  mutating func merge(_ other: ThresholdGuess) {
    for k in low.indices {
      highestLow[k] = max(highestLow[k], other.highestLow[k])
      lowestHigh[k] = min(lowestHigh[k], other.lowestHigh[k])
    }
  }

  func holds(_ bounds: [Double]) -> Bool {
    bounds.indices.allSatisfy { highestLow[$0] <= bounds[$0] && bounds[$0] <= lowestHigh[$0] }
  }
}
