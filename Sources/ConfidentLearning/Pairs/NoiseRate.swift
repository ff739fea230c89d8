import Foundation

/// The share of mismatched pairs, from the low scores alone, where matches are few and die out.
///
/// Say u is the share of known mismatches that score below a pair. Among mismatches u is uniform, so the observed pairs'
/// distribution below a small u is F(u) = r u + (what matches have there), with r the noise rate; Storey's ratio F(u)/u
/// (JRSS B 2002) takes the second term for 0, and errs upwards by it, the more the weaker the judges. Here that term is
/// A u^k, a regularly varying tail: r and A are fitted to the counts below u = 0.5 by maximum likelihood. k = 2.25
/// was best on real corpora (Tests/Benchmarks/README.md); an exponent higher or lower by a half hardly matters to judges that
/// tell pairs apart, and matters to those that don't, so the interval spans it.
///
/// Only mismatches that score like the re-paired ones are counted.
struct NoiseRate: Equatable {
  /// The share of the mismatches' scores that is looked at, and into how many equally likely pieces it is divided.
  static let reach = 0.5
  private static let pieces = 20
  private static let ends = (1...pieces).map { reach * Double($0) / Double(pieces) }
  static let exponent = 2.25
  /// What `exponent` may be without being wrong.
  static let exponents = 1.75...2.75
  private static let iterations = 400

  /// How many observed pairs score below the quantiles of the mismatches that end the pieces.
  struct LowScores {
    /// Of the observed pairs, by piece.
    var shares: [Double]
    /// In all pieces.
    var pairs: Double

    /// Neither is empty.
    init(observed: ScoreHistogram, mismatched: ScoreHistogram) {
      let below = ends.map { observed.count(below: mismatched.quantile($0) ?? 0) }
      shares = zip(below, [0] + below).map { ($0 - $1) / Double(observed.count) }
      pairs = below.last ?? 0
    }
  }

  /// In `0...1`.
  var rate: Double
  /// Observed pairs that it rests on.
  var pairs: Double

  /// - Parameters:
  ///   - observed: not empty.
  ///   - mismatched: known mismatches; not empty.
  init(observed: ScoreHistogram, mismatched: ScoreHistogram) {
    self.init(LowScores(observed: observed, mismatched: mismatched), exponent: Self.exponent)
  }

  init(_ low: LowScores, exponent: Double) {
    let pieces = Self.pieces
    let shares = low.shares
    let matches = zip(Self.ends, [0] + Self.ends).map { pow($0, exponent) - pow($1, exponent) }
    let piece = Self.reach / Double(pieces)
    let whole = matches.reduce(0, +)
    pairs = low.pairs
    // Without mismatches the best A is this; unless the likelihood then rises with r, there are none.
    let only = shares.reduce(0, +) / whole
    let rise = zip(shares, matches).reduce(0) { sum, here in
      let (share, match) = here
      return sum + (share > 0 ? share * piece / (only * match) : 0)
    }
    if rise <= Self.reach {
      rate = 0
      return
    }
    // Expectation maximisation of the Poisson likelihood: concave, so any start ends at the same place.
    var rate = 0.5
    var scale = 1.0
    for _ in 0..<Self.iterations {
      var mismatch = 0.0
      var match = 0.0
      for i in 0..<pieces where shares[i] > 0 {
        let ratio = shares[i] / (rate * piece + scale * matches[i])
        mismatch += ratio * piece
        match += ratio * matches[i]
      }
      rate *= mismatch / Self.reach
      scale *= match / whole
    }
    self.rate = min(rate, 1)
  }

  /// The upper 97.5 % bound of the rate of `count` pairs where so few score low that resampling them says little: the
  /// Poisson bound of that many, all taken for mismatches (Wilson and Hilferty's approximation); 0 where there are more.
  func boundOfFew(among count: Int) -> Double {
    guard pairs < Double(Self.pieces) else { return 0 }
    let next = pairs + 1
    let root = 1 - 1 / (9 * next) + 1.96 / (3 * next.squareRoot())
    return min(1, next * root * root * root / (Self.reach * Double(count)))
  }
}
