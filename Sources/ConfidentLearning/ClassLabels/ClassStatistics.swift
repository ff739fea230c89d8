/// The first read: how often each class is given as a label, and its mean self-confidence.
///
/// Statistics of parts (chunks, files, nights, machines) merge to exactly those of the whole, in any order and any split:
/// they are integer counts and fixed-point sums.
public struct ClassStatistics: Sendable, Equatable {
  /// Classes, `K`.
  public let classes: Int
  /// Rows of each given label, `[K]`.
  public private(set) var counts: [Int]
  /// Sums of P(label = k | x) over the rows with the given label k, `[K]`.
  private var selfConfidence: [FixedPointSum]

  public init(classes: Int) {
    self.classes = classes
    counts = Array(repeating: 0, count: classes)
    selfConfidence = Array(repeating: FixedPointSum(), count: classes)
  }

  /// Rows.
  public var count: Int { counts.reduce(0, +) }

  /// Adds a part, and checks every value of it.
  ///
  /// - Throws: `.labelOutOfRange`, `.notAProbability`; nothing was added then.
  /// - Precondition: `rows` have as many classes.
  public mutating func add(_ rows: LabelledRows) throws(ClassLabelError) {
    precondition(rows.classes == classes, "\(rows.classes) classes, not \(classes)")
    try rows.checkLabels()
    switch rows.probabilities {
    case .float32(let values): try add(values, rows)
    case .float64(let values): try add(values, rows)
    }
  }

  public mutating func merge(_ other: ClassStatistics) {
    precondition(other.classes == classes, "\(other.classes) classes, not \(classes)")
    for k in 0..<classes {
      counts[k] += other.counts[k]
      selfConfidence[k].add(other.selfConfidence[k])
    }
  }

  /// The confident thresholds (the paper's eq. 2): the mean self-confidence of each class, `[K]`; of a class that was
  /// never given 2, which no probability reaches.
  public func thresholds(_ rules: ClassLabelRules = .cleanlab) -> [Double] {
    (0..<classes).map { k in
      counts[k] == 0
        ? unreachableThreshold
        : max(selfConfidence[k].divided(by: counts[k]), rules.thresholdFloor)
    }
  }

  private mutating func add<Scalar: ProbabilityScalar>(
    _ values: [Scalar], _ rows: LabelledRows
  ) throws(ClassLabelError) {
    if !Scalar.areSurelyProbabilities(values, values.count) { try Self.check(values, rows) }
    for (row, label) in rows.labels.enumerated() {
      let k = Int(label)
      counts[k] += 1
      selfConfidence[k].add(Double(values[row * classes + k]))
    }
  }

  private static func check<Scalar: ProbabilityScalar>(
    _ values: [Scalar], _ rows: LabelledRows
  ) throws(ClassLabelError) {
    let allowed = (-probabilitySlack)...(1 + probabilitySlack)
    guard let bad = values.firstIndex(where: { !allowed.contains(Double($0)) }) else { return }
    throw .notAProbability(
      row: rows.first + bad / rows.classes, column: bad % rows.classes, value: Double(values[bad]))
  }
}

/// For parts that are counted elsewhere.
extension ClassStatistics: Codable {
  enum CodingKeys: String, CodingKey {
    case counts
    case formatVersion = "format_version"
    case selfConfidence = "self_confidence"
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    _ = try values.decode(FormatVersion<ClassLabelFormat>.self, forKey: .formatVersion)
    counts = try values.decode([Int].self, forKey: .counts)
    selfConfidence = try values.decode([FixedPointSum].self, forKey: .selfConfidence)
    classes = counts.count
    guard classes >= 2, selfConfidence.count == classes,
      counts.allSatisfy({ (0...countLimit).contains($0) })
    else {
      throw DecodingError.dataCorruptedError(
        forKey: .counts, in: values, debugDescription: "not a count and a sum for each class")
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(FormatVersion<ClassLabelFormat>(), forKey: .formatVersion)
    try values.encode(counts, forKey: .counts)
    try values.encode(selfConfidence, forKey: .selfConfidence)
  }
}

/// No counts read from outside may be higher: sums of many of them can't overflow.
let countLimit = 1 << 48
