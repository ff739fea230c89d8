/// What confident learning found out about a corpus, and what it decides about each pair.
///
///     let model = try NoiseModel.fit(statistics, repairing: .both, cut: .predictedNeqGiven)
///     model.noiseRate            // 0.29
///     model.mismatch(-0.7)       // 0.94: almost certainly not its caption
///     model.keeps(-0.7)          // false
///
/// A score is the mean over the judges of a pair's standardised scores. Every figure rests on the
/// pairs counted in `observedPairs` and `repairedPairs` unless its comment says otherwise.
public struct NoiseModel: Sendable, Equatable, Codable {
  /// Fewer observed pairs than this tell nothing.
  public static let minimumPairs = 100

  public let formatVersion: FormatVersion
  /// Which re-paired pairs taught the label *mismatch*.
  public let repairing: Repairing
  /// The cut that was asked for.
  public let cut: Cut
  /// Pairs with the given label *match*.
  public let observedPairs: Int
  /// Pairs with the given label *mismatch*, random and cluster ones counted apart.
  public let repairedPairs: Int

  /// The estimated share of mismatched pairs among the observed: the geometric mean of a low and a high estimate,
  /// `tailNoiseRate` and `jointNoiseRate`. Neither can be trusted alone: hard mismatches are missing from the tail,
  /// and the joint takes matches that the judges cannot tell from re-paired captions for noise, on a clean corpus most
  /// of all, where the tail is empty and the product small.
  public let noiseRate: Double
  /// The calibrated joint's share, [match][mismatch] / observed pairs: rather too high, the more so the weaker the
  /// judges and the less noise there is.
  public let jointNoiseRate: Double
  /// Storey's tail ratio against random re-pairing: a lower bound where hard mismatches exist.
  public let tailNoiseRate: Double
  /// Observed pairs in the tail that `tailNoiseRate` rests on.
  public let tailPairs: Double

  /// Mean self-confidence of each label, cross-fitted.
  public let thresholds: ConfidenceThresholds
  /// Pairs by given and confident label; those without a confident label are in no cell.
  public let confidentJoint: ConfidentJoint
  /// The confident joint with its rows scaled to all pairs of each given label.
  public let calibratedJoint: ConfidentJoint
  /// P(label = match | score), fitted on all parts.
  public let calibration: IsotonicCalibration
  /// The prior of the mismatch probability.
  public let posterior: MismatchPosterior

  /// Pairs that score at least this are kept.
  public let scoreThreshold: Double
  /// The share of the observed pairs that is kept.
  public let expectedKept: Double
  /// The estimated share of mismatches among the kept pairs: the mean of `mismatch` over them.
  public let estimatedNoiseKept: Double
  /// False where no threshold leaves as little noise as `maxNoise` asks for. The threshold is then
  /// the strictest that means something, the score of the calibration's last knot.
  public let reachable: Bool

  enum CodingKeys: String, CodingKey {
    case formatVersion = "format_version"
    case repairing, cut
    case observedPairs = "observed_pairs"
    case repairedPairs = "repaired_pairs"
    case noiseRate = "noise_rate"
    case jointNoiseRate = "joint_noise_rate"
    case tailNoiseRate = "tail_noise_rate"
    case tailPairs = "tail_pairs"
    case thresholds
    case confidentJoint = "confident_joint"
    case calibratedJoint = "calibrated_joint"
    case calibration, posterior
    case scoreThreshold = "score_threshold"
    case expectedKept = "expected_kept"
    case estimatedNoiseKept = "estimated_noise_kept"
    case reachable
  }
}

extension NoiseModel {
  /// P(label = match | score), observed and re-paired pairs weighing the same: a calibrated score,
  /// not yet the probability that a pair of this corpus matches.
  public func probabilityOfMatch(_ score: Float) -> Float {
    Float(calibration(ScoreHistogram.clamped(score)))
  }

  /// The probability that an observed pair of this score is mismatched. See `MismatchPosterior`.
  public func mismatch(_ score: Float) -> Float {
    Float(posterior(ScoreHistogram.clamped(score), calibration: calibration))
  }

  /// Whether a pair of this score is kept; scores beyond the grid count as its ends, NaN is not
  /// kept.
  public func keeps(_ score: Float) -> Bool {
    !score.isNaN && ScoreHistogram.clamped(score) >= scoreThreshold
  }
}
