import VectorMath

/// max(x, 0)
public final class ReLU: Layer {
  public init() {}
  public var parameters: [Parameter] { [] }

  public func forward(_ x: Tensor, _ context: Context) -> Tensor {
    let y = context.pool.tensor(x.shape)
    vm_relu(x.data, y.data, x.count)
    context.save(y)
    return y
  }

  public func backward(_ dy: Tensor, _ context: Context) -> Tensor {
    let y = context.restore()
    let dx = context.pool.tensor(y.shape)
    vm_relu_backward(y.data, dy.data, dx.data, y.count)
    return dx
  }
}

/// x sigmoid(1.702 x), CLIP's activation.
public final class QuickGELU: Layer {
  public init() {}
  public var parameters: [Parameter] { [] }

  public func forward(_ x: Tensor, _ context: Context) -> Tensor {
    let y = context.pool.tensor(x.shape)
    vm_quick_gelu(x.data, y.data, x.count)
    context.save(x)
    return y
  }

  public func backward(_ dy: Tensor, _ context: Context) -> Tensor {
    let x = context.restore()
    let dx = context.pool.tensor(x.shape)
    vm_quick_gelu_backward(x.data, dy.data, dx.data, x.count)
    return dx
  }
}

/// x Phi(x) (Hendrycks & Gimpel 2016), by the error function.
public final class GELU: Layer {
  public init() {}
  public var parameters: [Parameter] { [] }

  public func forward(_ x: Tensor, _ context: Context) -> Tensor {
    let y = context.pool.tensor(x.shape)
    vm_gelu(x.data, y.data, x.count)
    context.save(x)
    return y
  }

  public func backward(_ dy: Tensor, _ context: Context) -> Tensor {
    let x = context.restore()
    let dx = context.pool.tensor(x.shape)
    vm_gelu_backward(x.data, dy.data, dx.data, x.count)
    return dx
  }
}
