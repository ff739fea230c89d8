import Foundation

/// Mean and standard deviation over seeds.
public struct Spread: Codable, Sendable, Equatable {
  public var mean: Double
  /// Of a sample (n - 1); nil for one value.
  public var deviation: Double?
  public var count: Int

  /// Nil without a value.
  public init?(_ values: [Double]) {
    guard !values.isEmpty else { return nil }
    let mean = values.reduce(0, +) / Double(values.count)
    self.mean = mean
    count = values.count
    deviation =
      values.count < 2
      ? nil
      : (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1))
        .squareRoot()
  }

  public func text(_ format: String, times factor: Double = 1) -> String {
    String(format: format, factor * mean)
      + (deviation.map { " ± " + String(format: format, factor * $0) } ?? "")
  }
}
