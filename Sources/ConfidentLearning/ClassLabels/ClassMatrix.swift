/// A square table of classes.
public struct ClassMatrix<Element: Sendable & Equatable>: Sendable, Equatable {
  /// Rows, and columns.
  public let classes: Int
  /// Row-major, `[classes, classes]`.
  public private(set) var values: [Element]

  public init(classes: Int, repeating value: Element) {
    self.classes = classes
    values = Array(repeating: value, count: classes * classes)
  }

  /// - Precondition: `values` are `classes * classes`.
  public init(classes: Int, values: [Element]) {
    precondition(values.count == classes * classes, "\(values.count) values, \(classes) classes")
    self.classes = classes
    self.values = values
  }

  public subscript(row: Int, column: Int) -> Element {
    get { values[row * classes + column] }
    set { values[row * classes + column] = newValue }
  }

  public var diagonal: [Element] { (0..<classes).map { self[$0, $0] } }

  func row(_ row: Int) -> ArraySlice<Element> { values[row * classes..<(row + 1) * classes] }

  func map<Other>(_ transform: (Element) -> Other) -> ClassMatrix<Other> {
    ClassMatrix<Other>(classes: classes, values: values.map(transform))
  }

  var transposed: ClassMatrix {
    var result = self
    for row in 0..<classes {
      for column in 0..<classes { result[column, row] = self[row, column] }
    }
    return result
  }
}

extension ClassMatrix where Element: AdditiveArithmetic {
  public var rowSums: [Element] { (0..<classes).map { row($0).reduce(.zero, +) } }
  public var columnSums: [Element] { transposed.rowSums }
  public var sum: Element { values.reduce(.zero, +) }

  mutating func add(_ other: ClassMatrix) {
    precondition(classes == other.classes, "\(other.classes) classes, not \(classes)")
    for index in values.indices { values[index] += other.values[index] }
  }
}
