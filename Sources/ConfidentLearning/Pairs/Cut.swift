/// How many pairs go, by rising score. Each cut becomes one score threshold.
public enum Cut: Sendable, Equatable {
  /// Drop what is more likely mismatched than not: `cautiousMismatch` above one half (cleanlab's "predicted_neq_given", with
  /// the noise rate as the prior).
  case predictedNeqGiven
  /// Drop n * noise rate pairs, those of lowest P(match) (Northcutt et al., "prune by noise rate").
  case pruneByNoiseRate
  /// Drop as many as lie off the diagonal of the confident joint, those of lowest P(match)
  /// ("confident learning").
  case confidentLearning
  /// Keep as many as possible with an estimated share of mismatches among them of at most this.
  case maxNoise(Double)
  /// Keep this share.
  case keepFraction(Double)

  /// The method's name as the noise model writes it.
  public var name: String {
    switch self {
    case .predictedNeqGiven: "predicted_neq_given"
    case .pruneByNoiseRate: "prune_by_noise_rate"
    case .confidentLearning: "confident_learning"
    case .maxNoise: "max_noise"
    case .keepFraction: "keep_fraction"
    }
  }

  /// Whether the noise rate decides it.
  public var goesByNoiseRate: Bool {
    switch self {
    case .predictedNeqGiven, .pruneByNoiseRate, .maxNoise: true
    case .confidentLearning, .keepFraction: false
    }
  }

  var limitsNoise: Bool {
    if case .maxNoise = self { true } else { false }
  }

  /// The parameter of the cuts that have one.
  public var value: Double? {
    switch self {
    case .predictedNeqGiven, .pruneByNoiseRate, .confidentLearning: nil
    case .maxNoise(let value), .keepFraction(let value): value
    }
  }
}

/// Stored as `{"method": "max_noise", "value": 0.1}`, `value` where the method has one.
extension Cut: Codable {
  enum CodingKeys: String, CodingKey { case method, value }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    switch try values.decode(String.self, forKey: .method) {
    case "predicted_neq_given": self = .predictedNeqGiven
    case "prune_by_noise_rate": self = .pruneByNoiseRate
    case "confident_learning": self = .confidentLearning
    case "max_noise": self = .maxNoise(try values.decode(Double.self, forKey: .value))
    case "keep_fraction": self = .keepFraction(try values.decode(Double.self, forKey: .value))
    case let other:
      throw DecodingError.dataCorruptedError(
        forKey: .method, in: values, debugDescription: "no cut is called '\(other)'")
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(name, forKey: .method)
    try values.encodeIfPresent(value, forKey: .value)
  }
}
