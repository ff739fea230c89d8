import Glibc
import VectorMath

/// Symmetric InfoNCE with a learnable temperature (CLIP, Radford et al. 2021, figure 3), where items whose captions
/// are equal are positives of one another: the target of a row is uniform over its positives.
public final class ContrastiveLoss {
  /// ln(1 / temperature), `[1]`; taken as at most ln 100, CLIP's bound. Above that only slopes that lead back are
  /// added to its gradient.
  public let logScale: Parameter
  private static let top: Float = 4.6051702
  /// A logit whose power is 0.
  private static let leftOut: Float = -1e9

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
  ///   - imageGroups: items with the same number have the same image; only the queue asks for it.
  ///   - queue: more images that a text must not fit (EfficientCLIP, section 3), save those that share its caption or
  ///     its image; the images are held against the batch's texts alone.
  ///   - share: what the loss counts beside others; the gradients are multiplied by it, the loss isn't.
  /// - Returns: the loss, and its gradients by `images` and `texts`; the gradient by the temperature is added to
  ///   `logScale.gradient`.
  public func callAsFunction(
    images: Tensor, texts: Tensor, groups: [Int32], imageGroups: [Int32] = [],
    queue: FeatureQueue? = nil, share: Float = 1, _ context: Context
  ) -> (loss: Float, dImages: Tensor, dTexts: Tensor) {
    let (batch, columns) = (images.shape[0], images.columns)
    let pool = context.pool
    let scale = scale
    let logits = pool.tensor([batch, batch])
    multiply(
      images.data, .no, texts.data, .yes, into: logits.data, m: batch, n: batch, k: columns,
      alpha: scale)
    let queued = queue?.count ?? 0
    // A text's logits: of the batch's images, then of the queue's.
    let width = batch + queued
    let transposed = pool.tensor([batch, width])
    for r in 0..<batch {
      for c in 0..<batch { transposed.data[c * width + r] = logits.data[r * batch + c] }
    }
    if let queue, queued > 0 {
      queue.rows.withUnsafeBufferPointer { rows in
        guard let rows = rows.baseAddress else { return }
        multiply(
          texts.data, .no, rows, .yes, into: transposed.data + batch, m: batch, n: queued,
          k: columns, alpha: scale, ldc: width)
      }
      leaveOutKin(transposed, queue, captions: groups, images: imageGroups)
    }
    var sizes: [Int32: Int] = [:]
    for group in groups { sizes[group, default: 0] += 1 }

    let slope = pool.copy(logits)
    vm_softmax_rows(slope.data, batch, batch, nil)
    let slopeT = pool.copy(transposed)
    vm_softmax_rows(slopeT.data, batch, width, nil)
    var loss = 0.0
    for r in 0..<batch {
      let target = 1 / Float(sizes[groups[r], default: 1])
      for c in 0..<batch where groups[c] == groups[r] {
        let (i, j) = (r * batch + c, c * width + r)
        loss -= Double(target * logf(max(slope.data[i], 1e-30)))
        loss -= Double(target * logf(max(slopeT.data[j], 1e-30)))
        slope.data[i] -= target
        slopeT.data[j] -= target
      }
    }
    var dScale: Float = 0
    let weight = share / Float(2 * batch)
    for r in 0..<batch {
      for c in 0..<batch {
        let i = r * batch + c
        slope.data[i] = (slope.data[i] + slopeT.data[c * width + r]) * weight
        dScale += slope.data[i] * logits.data[i]
      }
      for c in batch..<width {
        let i = r * width + c
        slopeT.data[i] *= weight
        dScale += slopeT.data[i] * transposed.data[i]
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
    if let queue, queued > 0 {
      queue.rows.withUnsafeBufferPointer { rows in
        guard let rows = rows.baseAddress else { return }
        multiply(
          slopeT.data + batch, .no, rows, .no, into: dTexts.data, m: batch, n: columns, k: queued,
          alpha: scale, beta: 1, lda: width)
      }
    }
    return (Float(loss / Double(2 * batch)), dImages, dTexts)
  }

  /// Takes the queue's images that are no negatives of a text out of its row.
  private func leaveOutKin(
    _ logits: Tensor, _ queue: FeatureQueue, captions: [Int32], images: [Int32]
  ) {
    let batch = captions.count
    for r in 0..<batch {
      for c in 0..<queue.count
      where queue.captions[c] == captions[r] || queue.images[c] == images[r] {
        logits.data[r * logits.columns + batch + c] = Self.leftOut
      }
    }
  }
}
