import VectorMath

/// y = x + f(x)
public final class Residual: Layer {
  private let branch: any Layer

  public init(_ branch: any Layer) { self.branch = branch }

  public var parameters: [Parameter] { branch.parameters }

  public func forward(_ x: Tensor, _ context: Context) -> Tensor {
    let y = branch.forward(x, context)
    let sum = context.pool.copy(y)
    vm_add(x.data, sum.data, x.count)
    return sum
  }

  public func backward(_ dy: Tensor, _ context: Context) -> Tensor {
    let dx = branch.backward(dy, context)
    let sum = context.pool.copy(dx)
    vm_add(dy.data, sum.data, dy.count)
    return sum
  }
}
