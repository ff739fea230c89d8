/// In training, sets values to 0 at random and scales the others up, so that the mean stays (Srivastava et al. 2014);
/// otherwise the identity. Which values: `Context.random` says.
public final class Dropout: Layer {
  private let rate: Float

  /// - Parameter rate: how likely a value is dropped, in 0..<1.
  public init(_ rate: Float) { self.rate = rate }

  public var parameters: [Parameter] { [] }

  public func forward(_ x: Tensor, _ context: Context) -> Tensor {
    guard context.training, rate > 0 else { return x }
    let mask = context.pool.tensor(x.shape)
    let kept = 1 / (1 - rate)
    // Two values a draw.
    let least = UInt32(Double(rate) * 0x1p32)
    for i in stride(from: 0, to: mask.count, by: 2) {
      let draw = context.random.next()
      mask.data[i] = UInt32(truncatingIfNeeded: draw) >= least ? kept : 0
      if i + 1 < mask.count { mask.data[i + 1] = UInt32(draw >> 32) >= least ? kept : 0 }
    }
    context.save(mask)
    return product(x, mask, context)
  }

  public func backward(_ dy: Tensor, _ context: Context) -> Tensor {
    guard context.training, rate > 0 else { return dy }
    let mask = context.restore()
    // Where the next layer gives no input gradient, there is none to pass on.
    return dy.count == 0 ? dy : product(dy, mask, context)
  }

  private func product(_ a: Tensor, _ b: Tensor, _ context: Context) -> Tensor {
    let y = context.pool.tensor(a.shape)
    for i in 0..<y.count { y.data[i] = a.data[i] * b.data[i] }
    return y
  }
}
