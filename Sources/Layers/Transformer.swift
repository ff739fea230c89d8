import VectorMath

/// What a transformer is made of.
public struct TransformerShape: Sendable, Equatable {
  /// Where the normalisation stands.
  public enum Norm: Sendable {
    /// x + f(norm(x)), as in CLIP.
    case pre
    /// norm(x + f(x)), as in BERT.
    case post
  }

  /// Columns of each row.
  public var width: Int
  /// Blocks.
  public var depth: Int
  /// Of the attention; they divide the width.
  public var heads: Int
  /// Columns between the two products of the MLP.
  public var hidden: Int
  public var activation = Activation.quickGELU
  public var norm = Norm.pre
  /// A position sees itself and those before it only.
  public var causal = false
  /// Of the normalisations.
  public var epsilon: Float = 1e-5
  /// Whether queries, keys and values have a bias.
  public var qkvBias = true

  /// - Parameter hidden: by default four times the width.
  public init(width: Int, depth: Int, heads: Int, hidden: Int? = nil) {
    self.width = width
    self.depth = depth
    self.heads = heads
    self.hidden = hidden ?? 4 * width
  }
}

/// Blocks of attention and MLP over packed rows: CLIP's towers (pre-norm) and BERT's (post-norm).
public final class Transformer {
  private let blocks: [TransformerBlock]

  /// The blocks are named `NAME0`, `NAME1`, ...
  public init(_ name: String, _ shape: TransformerShape, _ random: inout SeededRandom) {
    var blocks: [TransformerBlock] = []
    for block in 0..<shape.depth {
      blocks.append(TransformerBlock("\(name)\(block)", shape, &random))
    }
    self.blocks = blocks
  }

  public var parameters: [Parameter] { blocks.flatMap(\.parameters) }

  /// - Parameter x: packed `[rows, width]`; without training its content is written over.
  /// - Returns: packed `[rows, width]`
  public func forward(_ x: Tensor, _ packing: Packing, _ context: Context) -> Tensor {
    blocks.reduce(x) { $1.forward($0, packing, context) }
  }

  public func backward(_ dy: Tensor, _ packing: Packing, _ context: Context) -> Tensor {
    blocks.reversed().reduce(dy) { $1.backward($0, packing, context) }
  }
}

/// Attention and MLP, each with its residual and its normalisation.
final class TransformerBlock {
  private let attentionNorm: LayerNorm
  private let attention: Attention
  private let mlpNorm: LayerNorm
  private let mlp: FeedForward
  private let norm: TransformerShape.Norm

  init(_ name: String, _ shape: TransformerShape, _ random: inout SeededRandom) {
    norm = shape.norm
    attentionNorm = LayerNorm("\(name).ln_1", shape.width, epsilon: shape.epsilon)
    attention = Attention(
      "\(name).attn", columns: shape.width, heads: shape.heads, causal: shape.causal,
      bias: shape.qkvBias, &random)
    mlpNorm = LayerNorm("\(name).ln_2", shape.width, epsilon: shape.epsilon)
    mlp = FeedForward(
      "\(name).mlp", columns: shape.width, hidden: shape.hidden, activation: shape.activation,
      &random)
  }

  var parameters: [Parameter] {
    attentionNorm.parameters + attention.parameters + mlpNorm.parameters + mlp.parameters
  }

  /// What a residual is added to: a copy where backward needs the tensor, else the tensor itself.
  private func residual(_ x: Tensor, _ context: Context) -> Tensor {
    context.training ? context.pool.copy(x) : x
  }

  func forward(_ x: Tensor, _ packing: Packing, _ context: Context) -> Tensor {
    switch norm {
    case .pre:
      let normed = attentionNorm.forward(x, context)
      let middle = residual(x, context)
      attention.forward(normed, packing, addedTo: middle, context)
      let normedMiddle = mlpNorm.forward(middle, context)
      let y = residual(middle, context)
      mlp.forward(normedMiddle, addedTo: y, context)
      return y
    case .post:
      let sum = residual(x, context)
      attention.forward(x, packing, addedTo: sum, context)
      let middle = attentionNorm.forward(sum, context)
      let y = residual(middle, context)
      mlp.forward(middle, addedTo: y, context)
      return mlpNorm.forward(y, context)
    }
  }

  func backward(_ dy: Tensor, _ packing: Packing, _ context: Context) -> Tensor {
    /// The gradient by a sum's input, its own passed on.
    func added(_ branch: Tensor, _ direct: Tensor) -> Tensor {
      vm_add(direct.data, branch.data, direct.count)
      return branch
    }
    switch norm {
    case .pre:
      let middle = added(mlpNorm.backward(mlp.backward(dy, context), context), dy)
      let branch = attentionNorm.backward(attention.backward(middle, packing, context), context)
      return added(branch, middle)
    case .post:
      let sum = mlpNorm.backward(dy, context)
      let middle = attentionNorm.backward(added(mlp.backward(sum, context), sum), context)
      return added(attention.backward(middle, packing, context), middle)
    }
  }
}
