/// A trained array with its gradient. `forward` reads `value`, `backward` adds to `gradient`.
public final class Parameter {
  public let name: String
  public let shape: [Int]
  public let count: Int
  /// Whether AdamW's decoupled weight decay applies (matrices yes, gains and biases no).
  public let decays: Bool
  public let value: UnsafeMutablePointer<Float>
  /// Allocated at first use: a judge that only scores never pays for it.
  public private(set) lazy var gradient: UnsafeMutablePointer<Float> = {
    let pointer = alignedFloats(count)
    pointer.update(repeating: 0, count: count)
    hasGradient = true
    return pointer
  }()
  private var hasGradient = false

  public init(_ name: String, _ shape: [Int], decays: Bool, fill: (Int) -> Float) {
    self.name = name
    self.shape = shape
    self.decays = decays
    count = shape.reduce(1, *)
    value = alignedFloats(count)
    for i in 0..<count { value[i] = fill(i) }
  }

  deinit {
    value.deallocate()
    if hasGradient { gradient.deallocate() }
  }

  public var values: [Float] {
    get { Array(UnsafeBufferPointer(start: value, count: count)) }
    set {
      precondition(newValue.count == count, "\(name): \(newValue.count) values for shape \(shape)")
      newValue.withUnsafeBufferPointer { source in
        if let base = source.baseAddress { value.update(from: base, count: count) }
      }
    }
  }

  /// Weights of a matrix whose rows are inputs, drawn from N(0, gain / fanIn).
  static func matrix(
    _ name: String, _ shape: [Int], fanIn: Int, gain: Float, _ random: inout SeededRandom
  ) -> Parameter {
    let deviation = (gain / Float(fanIn)).squareRoot()
    var generator = random
    let parameter = Parameter(name, shape, decays: true) { _ in generator.normal() * deviation }
    random = generator
    return parameter
  }

  static func vector(_ name: String, _ count: Int, _ value: Float) -> Parameter {
    Parameter(name, [count], decays: false) { _ in value }
  }
}
