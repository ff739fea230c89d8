/// y = x + f(x)
public final class Residual: Layer {
  private let branch: any Layer

  public init(_ branch: any Layer) { self.branch = branch }

  public var parameters: [Parameter] { branch.parameters }

  public func forward(_ x: Tensor, _ context: Context) -> Tensor {
    let y = branch.forward(x, context)
    return context.pool.sum(x, y, shape: x.shape)
  }

  public func backward(_ dy: Tensor, _ context: Context) -> Tensor {
    let dx = branch.backward(dy, context)
    return context.pool.sum(dy, dx, shape: dy.shape)
  }
}
