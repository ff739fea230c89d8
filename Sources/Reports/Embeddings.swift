/// Rows of one embedding space.
public struct Embeddings: Sendable, Equatable {
  public var rows: Int
  public var columns: Int
  /// `[rows, columns]`
  public var values: [Float]

  public init(rows: Int, columns: Int, values: [Float]) {
    precondition(values.count == rows * columns, "\(values.count) values, not \(rows) x \(columns)")
    (self.rows, self.columns, self.values) = (rows, columns, values)
  }

  /// The rows at `indices`, in that order.
  public func taking(_ indices: [Int]) -> Embeddings {
    var taken: [Float] = []
    taken.reserveCapacity(indices.count * columns)
    for index in indices { taken += values[(index * columns)..<((index + 1) * columns)] }
    return Embeddings(rows: indices.count, columns: columns, values: taken)
  }

  /// Each row scaled to Euclidean length 1; a row of zeros stays.
  public func unitRows() -> Embeddings {
    var unit = self
    for row in 0..<rows {
      let range = (row * columns)..<((row + 1) * columns)
      let square = values[range].reduce(0) { $0 + Double($1) * Double($1) }
      guard square > 0 else { continue }
      let scale = Float(1 / square.squareRoot())
      for i in range { unit.values[i] *= scale }
    }
    return unit
  }
}

/// Numbers for things, equal ones alike, from 0 in order of first occurrence.
public func groupNumbers<T: Hashable>(_ things: [T]) -> [Int] {
  var numbers: [T: Int] = [:]
  return things.map { thing in
    if let number = numbers[thing] { return number }
    numbers[thing] = numbers.count
    return numbers.count - 1
  }
}
