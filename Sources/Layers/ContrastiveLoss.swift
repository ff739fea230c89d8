import VectorMath

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Symmetric InfoNCE with a learnable temperature (CLIP, Radford et al. 2021, figure 3), where items whose captions
/// are equal are positives of one another: the target of a row is uniform over its positives.
public final class ContrastiveLoss {
  /// ln(1 / temperature), `[1]`; taken as at most ln 100, CLIP's bound. Above that only slopes that lead back are
  /// added to its gradient.
  public let logScale: Parameter
  private static let top: Float = 4.6051702

  /// - Parameter temperature: at the start; CLIP's is 0.07.
  public init(temperature: Float = 0.07) {
    logScale = Parameter("logit_scale", [1], decays: false) { _ in -logf(temperature) }
  }

  /// 1 / temperature, the factor of the cosines.
  public var scale: Float { expf(min(logScale.value[0], Self.top)) }

  /// - Parameters:
  ///   - images: unit rows `[batch, columns]`.
  ///   - texts: unit rows `[batch, columns]`.
  ///   - groups: items with the same number have the same caption.
  /// - Returns: the loss, and its gradients by `images` and `texts`; the gradient by the temperature is added to
  ///   `logScale.gradient`.
  public func callAsFunction(
    images: Tensor, texts: Tensor, groups: [Int32], _ context: Context
  ) -> (loss: Float, dImages: Tensor, dTexts: Tensor) {
    let (batch, columns) = (images.shape[0], images.columns)
    let pool = context.pool
    let scale = scale
    let logits = pool.tensor([batch, batch])
    multiply(
      images.data, .no, texts.data, .yes, into: logits.data, m: batch, n: batch, k: columns,
      alpha: scale)
    let transposed = pool.tensor([batch, batch])
    for r in 0..<batch {
      for c in 0..<batch { transposed.data[c * batch + r] = logits.data[r * batch + c] }
    }
    var sizes: [Int32: Int] = [:]
    for group in groups { sizes[group, default: 0] += 1 }

    let slope = pool.copy(logits)
    vm_softmax_rows(slope.data, batch, batch, nil)
    let slopeT = pool.copy(transposed)
    vm_softmax_rows(slopeT.data, batch, batch, nil)
    var loss = 0.0
    for r in 0..<batch {
      let target = 1 / Float(sizes[groups[r], default: 1])
      for c in 0..<batch where groups[c] == groups[r] {
        let (i, j) = (r * batch + c, c * batch + r)
        loss -= Double(target * logf(max(slope.data[i], 1e-30)))
        loss -= Double(target * logf(max(slopeT.data[j], 1e-30)))
        slope.data[i] -= target
        slopeT.data[j] -= target
      }
    }
    var dScale: Float = 0
    let weight = 1 / Float(2 * batch)
    for r in 0..<batch {
      for c in 0..<batch {
        let i = r * batch + c
        slope.data[i] = (slope.data[i] + slopeT.data[c * batch + r]) * weight
        dScale += slope.data[i] * logits.data[i]
      }
    }
    if logScale.value[0] < Self.top || dScale > 0 { logScale.gradient[0] += dScale }
    let dImages = pool.tensor(images.shape)
    let dTexts = pool.tensor(texts.shape)
    multiply(
      slope.data, .no, texts.data, .no, into: dImages.data, m: batch, n: columns, k: batch,
      alpha: scale)
    multiply(
      slope.data, .yes, images.data, .no, into: dTexts.data, m: batch, n: columns, k: batch,
      alpha: scale)
    return (Float(loss) * weight, dImages, dTexts)
  }
}
