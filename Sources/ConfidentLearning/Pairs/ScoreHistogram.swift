/// Counts of scores on a fixed grid: -16 ... 16 in bins of 1/64.
///
/// The only state is integer counts, so histograms of any split of the data, merged in any order,
/// are equal to the histogram of the whole. Scores are standardised, so the grid reaches far past
/// both tails; what lies outside is counted in the outermost bin.
public struct ScoreHistogram: Sendable, Equatable {
  /// The grid's ends, in units of the score.
  public static let range: ClosedRange<Double> = -16...16
  /// The width of a bin, in units of the score.
  public static let binWidth = 1.0 / 64
  public static let binCount = 2048

  /// Pairs per bin, `[binCount]`.
  public private(set) var counts: [Int]
  /// Pairs in all bins.
  public private(set) var count: Int
  /// From the first bin that holds a pair to the last.
  private var span: Range<Int>

  public init() {
    counts = Array(repeating: 0, count: Self.binCount)
    count = 0
    span = 0..<0
  }

  /// All pairs of `histograms`.
  init(merging histograms: [ScoreHistogram]) {
    self.init()
    for histogram in histograms { merge(histogram) }
  }

  /// A histogram of `counts`, or nil unless these are `binCount` numbers >= 0 with a sane sum.
  init?(counts: [Int]) {
    guard counts.count == Self.binCount, counts.allSatisfy({ (0...Self.countLimit).contains($0) })
    else { return nil }
    self.counts = counts
    count = counts.reduce(0, +)
    let isHeld = { (count: Int) in count > 0 }
    span = (counts.firstIndex(where: isHeld) ?? 0)..<((counts.lastIndex(where: isHeld) ?? -1) + 1)
    if count > Self.countLimit { return nil }
  }

  /// No histogram read from outside may hold more: sums of many of them can't overflow.
  static let countLimit = 1 << 48

  /// Counts one score. - Precondition: `score` isn't NaN; callers reject such pairs before.
  public mutating func add(_ score: Float) {
    let bin = Self.bin(of: score)
    counts[bin] += 1
    count += 1
    widen(to: bin..<bin + 1)
  }

  private mutating func widen(to held: Range<Int>) {
    guard !span.isEmpty, !held.isEmpty else {
      if span.isEmpty { span = held }
      return
    }
    span = min(span.lowerBound, held.lowerBound)..<max(span.upperBound, held.upperBound)
  }

  /// Adds the pairs of `other`: associative and commutative, exactly.
  public mutating func merge(_ other: ScoreHistogram) {
    // The bootstrap merges 32 parts 400 times, each of a few scores.
    counts.withUnsafeMutableBufferPointer { counts in
      other.counts.withUnsafeBufferPointer { others in
        for bin in other.span { counts[bin] += others[bin] }
      }
    }
    count += other.count
    widen(to: other.span)
  }

  /// The probability that a score of these is above one of `other`, scores of a bin counting half. Neither is empty.
  func areaUnderROC(against other: ScoreHistogram) -> Double {
    var below = 0.0
    var area = 0.0
    for bin in counts.indices {
      let here = Double(other.counts[bin])
      area += Double(counts[bin]) * (below + here / 2)
      below += here
    }
    return area / (Double(count) * below)
  }

  /// The score below which `fraction` of the pairs lie, interpolated within its bin; nil when
  /// empty.
  ///
  /// - Parameter fraction: clamped to 0...1; 0 gives the lower edge of the first bin that holds a
  ///   pair, 1 the upper edge of the last.
  public func quantile(_ fraction: Double) -> Double? {
    guard let last = counts.lastIndex(where: { $0 > 0 }) else { return nil }
    let target = min(max(fraction, 0), 1) * Double(count)
    var below = 0.0
    for bin in 0...last where counts[bin] > 0 {
      let held = Double(counts[bin])
      if below + held >= target {
        return Self.lowerEdge(bin) + Self.binWidth * (target - below) / held
      }
      below += held
    }
    return Self.lowerEdge(last + 1)
  }

  /// The number of pairs below `score`, those of its own bin in proportion.
  public func count(below score: Double) -> Double {
    let position = (score - Self.range.lowerBound) / Self.binWidth
    if !(position > 0) { return 0 }
    if position >= Double(Self.binCount) { return Double(count) }
    let bin = Int(position)
    let whole = counts[..<bin].reduce(0, +)
    return Double(whole) + Double(counts[bin]) * (position - Double(bin))
  }

  static func bin(of score: Float) -> Int {
    precondition(!score.isNaN, "a score is NaN")
    // Dividing by a power of two is exact; adding 16 first would move tiny scores across an edge.
    return Int((clamped(score) / binWidth).rounded(.down)) + binCount / 2
  }

  /// The score as the grid sees it: inside `range`, its upper end excluded.
  static func clamped(_ score: Float) -> Double {
    min(max(Double(score), range.lowerBound), range.upperBound.nextDown)
  }

  static func lowerEdge(_ bin: Int) -> Double { range.lowerBound + binWidth * Double(bin) }

  /// The middle of a bin, which stands for all of its pairs.
  static func centre(_ bin: Int) -> Double { lowerEdge(bin) + binWidth / 2 }
}
