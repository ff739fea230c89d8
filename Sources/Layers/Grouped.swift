/// A layer that, where nothing is kept for a backward pass, gets a few items of its input at a time, so that what passes
/// between its parts stays in a core's cache. The value is the same: no item's result depends on the others.
public final class Grouped: Layer {
  private let layer: any Layer
  private let size: Int

  /// - Parameter size: items of the outermost axis that go through `layer` at once.
  public init(_ layer: any Layer, size: Int) {
    precondition(size > 0, "groups of \(size) items")
    self.layer = layer
    self.size = size
  }

  public var parameters: [Parameter] { layer.parameters }

  public func forward(_ x: Tensor, _ context: Context) -> Tensor {
    let items = x.shape[0]
    if context.training || items <= size { return layer.forward(x, context) }
    let first = layer.forward(Tensor(x, items: 0..<size), context)
    let y = context.pool.tensor([items] + first.shape.dropFirst())
    y.data.update(from: first.data, count: first.count)
    for start in stride(from: size, to: items, by: size) {
      let part = layer.forward(Tensor(x, items: start..<min(start + size, items)), context)
      (y.data + start / size * first.count).update(from: part.data, count: part.count)
    }
    return y
  }

  public func backward(_ dy: Tensor, _ context: Context) -> Tensor {
    layer.backward(dy, context)
  }
}
