/// What confident learning found out about a corpus, and what it decides about each pair.
///
///     let model = try NoiseModel.fit(statistics, repairing: .both, cut: .predictedNeqGiven)
///     model.noiseRate            // 0.29
///     model.noiseRateInterval    // 0.27 ... 0.32
///     model.mismatch(-0.7)       // 0.94: almost certainly not its caption
///     model.keeps(-0.7)          // false
///
/// A score is the mean over the judges of a pair's standardised scores. How many mismatches there are, and which pairs
/// they are, depends on what mismatches look like, and two answers are given:
///
/// - **noise rate** and `mismatch`: captions of anywhere in the corpus, as random re-pairing has them. Captions of the
///   right topic that belong to another image score higher, and are counted in part only: a lower bound for them.
/// - **cautious noise rate**: captions as `repairing` has them, by default a third of them of the right topic. The cuts go
///   by it, for otherwise most mismatches within a topic would stay.
///
/// Every figure rests on the pairs counted in `observedPairs` and `repairedPairs` unless its comment says otherwise.
/// Intervals hold 95 % of the estimates on 400 bootstrap resamples of the captions, in the parts that `PairStatistics` has
/// them in; those of noise rates span the exponents that the matches' tail may have, too.
public struct NoiseModel: Sendable, Equatable, Codable {
  /// Fewer observed pairs than this tell nothing.
  public static let minimumPairs = 100

  public let formatVersion: FormatVersion<PairFormat>
  /// Which re-paired pairs taught the cautious label *mismatch*.
  public let repairing: Repairing
  /// The cut that was asked for.
  public let cut: Cut
  /// Pairs with the given label *match*.
  public let observedPairs: Int
  /// Pairs with the given label *mismatch*: as many as observed for each kind of re-pairing that was used.
  public let repairedPairs: Int

  /// The area under the ROC curve of telling observed pairs, mismatched ones among them, from randomly re-paired ones.
  public let separation: Double
  public let separationInterval: Interval

  /// The estimated share of mismatched pairs among the observed, by random re-pairing. See `NoiseRate`.
  public let noiseRate: Double
  public let noiseRateInterval: Interval
  /// Low-scoring observed pairs that `noiseRate` rests on.
  public let noiseRatePairs: Double
  /// P(observed | score) against randomly re-paired pairs, both weighing the same.
  public let calibration: IsotonicCalibration

  /// The same share if mismatches were like those of `repairing`.
  public let cautiousNoiseRate: Double
  public let cautiousNoiseRateInterval: Interval
  public let cautiousNoiseRatePairs: Double
  /// P(label = match | score), fitted on all parts.
  public let cautiousCalibration: IsotonicCalibration

  /// Mean self-confidence of each label, cross-fitted.
  public let thresholds: ConfidenceThresholds
  public let matchThresholdInterval: Interval
  public let mismatchThresholdInterval: Interval
  /// Pairs by given and confident label; those without a confident label are in no cell.
  public let confidentJoint: ConfidentJoint
  /// The confident joint with its rows scaled to all pairs of each given label.
  public let calibratedJoint: ConfidentJoint
  /// The calibrated joint's share, [match][mismatch] / observed pairs: the paper's noise rate. Weak judges raise it,
  /// since matches that they can't tell from re-paired captions count as noise, so nothing rests on it.
  public let jointNoiseRate: Double
  public let jointNoiseRateInterval: Interval

  /// Pairs that score at least this are kept.
  public let scoreThreshold: Double
  /// The share of the observed pairs that is kept.
  public let expectedKept: Double
  /// The estimated share of mismatches among the kept pairs: the mean of `mismatch` over them.
  public let estimatedNoiseKept: Double
  /// The same by the cautious noise rate; what `maxNoise` holds to.
  public let cautiousNoiseKept: Double
  /// The upper 95 % bound of that share, of `maxNoise` only.
  public let cautiousNoiseKeptBound: Double?
  /// False where no threshold is sure to leave as little noise as `maxNoise` asks for: the estimate lies above it, or its
  /// bound by more than 0.02. The threshold is then that of the least bound; all is kept where the judges tell nothing.
  public let reachable: Bool

  enum CodingKeys: String, CodingKey {
    case formatVersion = "format_version"
    case repairing, cut, separation
    case separationInterval = "separation_interval"
    case observedPairs = "observed_pairs"
    case repairedPairs = "repaired_pairs"
    case noiseRate = "noise_rate"
    case noiseRateInterval = "noise_rate_interval"
    case noiseRatePairs = "noise_rate_pairs"
    case calibration
    case cautiousNoiseRate = "cautious_noise_rate"
    case cautiousNoiseRateInterval = "cautious_noise_rate_interval"
    case cautiousNoiseRatePairs = "cautious_noise_rate_pairs"
    case cautiousCalibration = "cautious_calibration"
    case thresholds
    case matchThresholdInterval = "match_threshold_interval"
    case mismatchThresholdInterval = "mismatch_threshold_interval"
    case confidentJoint = "confident_joint"
    case calibratedJoint = "calibrated_joint"
    case jointNoiseRate = "joint_noise_rate"
    case jointNoiseRateInterval = "joint_noise_rate_interval"
    case scoreThreshold = "score_threshold"
    case expectedKept = "expected_kept"
    case estimatedNoiseKept = "estimated_noise_kept"
    case cautiousNoiseKept = "cautious_noise_kept"
    case cautiousNoiseKeptBound = "cautious_noise_kept_bound"
    case reachable
  }
}

extension NoiseModel {
  /// The probability that an observed pair of this score is mismatched, by random re-pairing. See `MismatchPosterior`.
  public func mismatch(_ score: Float) -> Float {
    let posterior = MismatchPosterior(noiseRate: noiseRate, calibration: calibration)
    return Float(posterior(ScoreHistogram.clamped(score)))
  }

  /// The same by the cautious noise rate; what the cuts go by.
  public func cautiousMismatch(_ score: Float) -> Float {
    let posterior = MismatchPosterior(
      noiseRate: cautiousNoiseRate, calibration: cautiousCalibration)
    return Float(posterior(ScoreHistogram.clamped(score)))
  }

  /// Whether the judges tell pairs from re-paired ones at all. Where they don't, either they know nothing or nearly all
  /// captions are wrong: noise rates then range from 0, and no cut but `keepFraction` drops anything.
  public var isTelling: Bool { separationInterval.low > 0.5 }

  /// Whether a pair of this score is kept; scores beyond the grid count as its ends, NaN is not
  /// kept.
  public func keeps(_ score: Float) -> Bool {
    !score.isNaN && ScoreHistogram.clamped(score) >= scoreThreshold
  }
}
