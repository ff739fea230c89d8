/// A trained array with its gradient. `forward` reads `value`, `backward` adds to `gradient`.
///
/// Both are allocated at first use: who only asks for shapes, or brings weights of their own, draws no random
/// numbers, and a judge that only scores has no gradients. One thread only.
public final class Parameter {
  public let name: String
  public let shape: [Int]
  /// The product of the shape.
  public let count: Int
  /// Whether AdamW's decoupled weight decay applies (matrices yes, gains and biases no).
  public let decays: Bool
  private let initial: (Int) -> Float
  private var ownValue: UnsafeMutablePointer<Float>?
  private var ownGradient: UnsafeMutablePointer<Float>?
  /// Whose weights are taken for one's own.
  private var owner: Parameter?
  /// Whose memory the weights lie in, if not one's own.
  private var lender: AnyObject?

  /// - Parameter fill: the initial weight of each index; called in their order, at most once.
  public init(_ name: String, _ shape: [Int], decays: Bool, fill: @escaping (Int) -> Float) {
    self.name = name
    self.shape = shape
    self.decays = decays
    initial = fill
    count = shape.reduce(1, *)
  }

  deinit {
    if lender == nil { ownValue?.deallocate() }
    ownGradient?.deallocate()
  }

  /// `count` weights, row-major.
  public var value: UnsafeMutablePointer<Float> {
    if let owner { return owner.value }
    if let ownValue { return ownValue }
    let pointer = alignedFloats(count)
    for i in 0..<count { pointer[i] = initial(i) }
    ownValue = pointer
    return pointer
  }

  /// `count` slopes of the loss, at first 0.
  public var gradient: UnsafeMutablePointer<Float> {
    if let ownGradient { return ownGradient }
    let pointer = alignedFloats(count)
    pointer.update(repeating: 0, count: count)
    ownGradient = pointer
    return pointer
  }

  /// A copy of the weights; set with exactly `count` of them.
  public var values: [Float] {
    get { Array(UnsafeBufferPointer(start: value, count: count)) }
    set {
      precondition(newValue.count == count, "\(name): \(newValue.count) values for shape \(shape)")
      newValue.withUnsafeBufferPointer { source in
        fill { if let base = source.baseAddress { $0.update(from: base, count: count) } }
      }
    }
  }

  /// From now on the weights are those of `other`, and only the gradients are one's own: two threads can then run the
  /// same model forward and backward at a time.
  public func shareWeights(of other: Parameter) {
    precondition(shape == other.shape, "\(name) is \(shape), \(other.name) is \(other.shape)")
    _ = other.value  // allocated now, on this thread
    if lender == nil { ownValue?.deallocate() }
    (ownValue, lender) = (nil, nil)
    owner = other
  }

  /// From now on the weights are those at `data`, which nobody may change: for a model that only runs forward.
  ///
  /// - Parameters:
  ///   - data: `count` floats.
  ///   - lender: what keeps them in memory.
  public func borrow(_ data: UnsafePointer<Float>, from lender: AnyObject) {
    if self.lender == nil { ownValue?.deallocate() }
    ownValue = UnsafeMutablePointer(mutating: data)
    (self.lender, owner) = (lender, nil)
  }

  /// Sets the weights without drawing any.
  ///
  /// - Parameter body: writes all `count` of them, row-major.
  public func fill<E: Error>(_ body: (UnsafeMutablePointer<Float>) throws(E) -> Void) throws(E) {
    let target = owner?.value ?? (lender == nil ? ownValue : nil) ?? alignedFloats(count)
    if owner == nil { (ownValue, lender) = (target, nil) }
    try body(target)
  }

  /// Weights of a matrix whose rows are inputs, drawn from N(0, gain / fanIn).
  static func matrix(
    _ name: String, _ shape: [Int], fanIn: Int, gain: Float, _ random: inout SeededRandom
  ) -> Parameter {
    let deviation = (gain / Float(fanIn)).squareRoot()
    var own = random
    let parameter = Parameter(name, shape, decays: true) { _ in own.normal() * deviation }
    random.skip(normals: parameter.count)
    return parameter
  }

  static func vector(_ name: String, _ count: Int, _ value: Float) -> Parameter {
    Parameter(name, [count], decays: false) { _ in value }
  }
}
