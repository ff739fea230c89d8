import VectorMath

/// The activation between the two products of a transformer's MLP.
public enum Activation: String, Sendable, Codable, CaseIterable {
  /// x Phi(x), by the error function.
  case gelu
  /// x sigmoid(1.702 x), of OpenAI's CLIP.
  case quickGELU

  var layer: any Layer {
    switch self {
    case .gelu: GELU()
    case .quickGELU: QuickGELU()
    }
  }
}

/// A transformer's MLP: `columns` to `hidden`, the activation, and back.
final class FeedForward {
  private let widen: Linear
  private let bias: Parameter
  private let activation: Activation
  private let layer: any Layer
  private let narrow: Linear

  init(
    _ name: String, columns: Int, hidden: Int, activation: Activation, _ random: inout SeededRandom
  ) {
    widen = Linear("\(name).c_fc", inputs: columns, outputs: hidden, bias: false, &random)
    bias = .vector("\(name).c_fc.bias", hidden, 0)
    self.activation = activation
    layer = activation.layer
    narrow = Linear("\(name).c_proj", inputs: hidden, outputs: columns, gain: 0.25, &random)
  }

  var parameters: [Parameter] { widen.parameters + [bias] + narrow.parameters }

  /// Adds the result to `sum`, which may be `x` itself where `context` isn't training.
  func forward(_ x: Tensor, addedTo sum: Tensor, _ context: Context) {
    let hidden = widen.forward(x, context)
    if context.training {
      vm_add_bias(hidden.data, bias.value, hidden.rows, hidden.columns)
      narrow.forward(layer.forward(hidden, context), addedTo: sum, context)
      return
    }
    switch activation {
    case .gelu: vm_bias_gelu(hidden.data, bias.value, hidden.rows, hidden.columns)
    case .quickGELU: vm_bias_quick_gelu(hidden.data, bias.value, hidden.rows, hidden.columns)
    }
    narrow.forward(hidden, addedTo: sum, context)
  }

  /// - Returns: the gradient by `x`, without what `sum` passes on.
  func backward(_ dy: Tensor, _ context: Context) -> Tensor {
    let slope = layer.backward(narrow.backward(dy, context), context)
    vm_add_column_sums(slope.data, bias.gradient, slope.rows, slope.columns)
    return widen.backward(slope, context)
  }
}
