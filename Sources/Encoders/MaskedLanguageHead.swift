import Layers
import Text
import VectorMath

/// Guesses masked tokens from the rows of a text encoder: BERT's head (Devlin et al. 2019), a transform and then the
/// token embedding itself as the classes' weights, with a bias. Only the masked rows go through it.
public final class MaskedLanguageHead {
  private let encoder: any TokenRowsEncoder
  private let transform: Sequential
  private let bias: Parameter
  private let seed: UInt64

  /// - Parameter encoder: one that `hasTokenRows`; nil is given back for others.
  public init?(_ encoder: DualEncoder, seed: UInt64) {
    guard encoder.hasTokenRows, let rows = encoder.tokenRows else { return nil }
    self.encoder = rows
    self.seed = seed
    var random = SeededRandom(seed: seed)
    let width = rows.table.shape[1]
    // The first norm is what the encoder's own head begins with: a pre-norm transformer ends without one.
    transform = Sequential([
      LayerNorm("mlm.norm", width),
      Linear("mlm.transform", inputs: width, outputs: width, &random), GELU(),
      LayerNorm("mlm.norm_out", width),
    ])
    bias = Parameter("mlm.bias", [rows.table.shape[0]], decays: false) { _ in 0 }
  }

  /// Its own, without the token embedding.
  public var parameters: [Parameter] { transform.parameters + [bias] }

  /// The head of a replica of the encoder, with the same weights and gradients of its own.
  public func replica(for encoder: DualEncoder) -> MaskedLanguageHead? {
    let replica = MaskedLanguageHead(encoder, seed: seed)
    for (own, shared) in zip(replica?.parameters ?? [], parameters) { own.shareWeights(of: shared) }
    return replica
  }

  /// Forward and backward; adds to the gradients of head and encoder.
  ///
  /// - Parameters:
  ///   - texts: with the masked tokens in place; none longer than the encoder reads.
  ///   - rows: the masked rows, counted through all texts, ascending.
  ///   - targets: the token that stood there.
  ///   - weight: what a masked token counts in the loss.
  /// - Returns: the weighted sum of negative log-likelihoods, in nats.
  public func accumulateGradients(
    _ texts: [CaptionTokens], rows: [Int32], targets: [Int32], weight: Float, _ context: Context
  ) -> Float {
    let table = encoder.table
    let (classes, width, pool) = (table.shape[0], table.shape[1], context.pool)
    let all = encoder.forwardRows(texts, context)
    let chosen = pool.tensor([rows.count, width])
    for (i, row) in rows.enumerated() {
      (chosen.data + i * width).update(from: all.data + Int(row) * width, count: width)
    }
    let guesses = transform.forward(chosen, context)
    let logits = pool.tensor([rows.count, classes])
    multiply(
      guesses.data, .no, table.value, .yes, into: logits.data, m: rows.count, n: classes, k: width)
    vm_add_bias(logits.data, bias.value, rows.count, classes)
    let loss = SoftmaxCrossEntropy.apply(logits, targets: targets, weight: weight)
    multiply(
      logits.data, .yes, guesses.data, .no, into: table.gradient, m: classes, n: width,
      k: rows.count, beta: 1)
    vm_add_column_sums(logits.data, bias.gradient, rows.count, classes)
    let dGuesses = pool.tensor(guesses.shape)
    multiply(
      logits.data, .no, table.value, .no, into: dGuesses.data, m: rows.count, n: width, k: classes)
    let dChosen = transform.backward(dGuesses, context)
    let dAll = pool.zeros(all.shape)
    for (i, row) in rows.enumerated() {
      (dAll.data + Int(row) * width).update(from: dChosen.data + i * width, count: width)
    }
    encoder.backwardRows(dAll, context)
    return loss
  }
}
