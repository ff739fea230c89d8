import Encoders
import Layers
import Text

/// A part of every batch: it shares the model's weights, has gradients and buffers of its own, and is worked on by one
/// thread at a time.
final class Lane: @unchecked Sendable {
  // Unchecked: parallelMap gives each lane to one thread, and its end is a barrier.

  let encoder: DualEncoder
  private let head: MaskedLanguageHead?
  /// Unit rows of the last `forward`, `[pairs, dimension]`.
  private(set) var images: Tensor
  private(set) var texts: Tensor
  private let textContext = Context(training: true)
  private var imageContexts: [Context] = []
  /// Images pass through the encoder this many at a time, so that they stay in cache from layer to layer.
  private let piece: Int
  /// What `fill` writes of an image.
  private let shape: [Int]

  /// - Parameter features: of an image, where a dictionary's stem has been computed beforehand.
  init(_ encoder: DualEncoder, _ head: MaskedLanguageHead?, features: Int?) {
    let side = encoder.configuration.image.side
    shape = features.map { [$0] } ?? [side, side, 3]
    piece = features == nil ? 32 : .max
    self.encoder = encoder
    self.head = head
    images = textContext.pool.tensor([0, encoder.configuration.dimension])
    texts = images
  }

  /// Of the encoder and of the head that guesses masked tokens.
  var parameters: [Parameter] { encoder.parameters + (head?.parameters ?? []) }

  /// Encodes the lane's pairs; `backward` must follow.
  ///
  /// - Parameters:
  ///   - seeds: of each pair; what layers draw follows from them.
  ///   - fill: writes image `i`, `[side, side, 3]`, normalised, or its features.
  func forward(
    captions: [CaptionTokens], seeds: [UInt64],
    fill: (Int, UnsafeMutablePointer<Float>) throws -> Void
  ) rethrows {
    let (count, size) = (captions.count, shape.reduce(1, *))
    images = textContext.pool.tensor([count, encoder.configuration.dimension])
    for (number, range) in ranges(count).enumerated() {
      if number == imageContexts.count { imageContexts.append(Context(training: true)) }
      let context = imageContexts[number]
      // Not the pair's own numbers, which its augmentation is drawn from.
      context.random = SeededRandom(seed: ~seeds[range.lowerBound])
      let x = context.pool.tensor([range.count] + shape)
      for (row, index) in range.enumerated() { try fill(index, x.data + row * size) }
      let rows = encoder.encodeImages(x, context)
      (images.data + range.lowerBound * rows.columns).update(from: rows.data, count: rows.count)
    }
    texts = encoder.encodeTexts(captions, textContext)
  }

  /// Adds to the lane's gradients.
  ///
  /// - Parameters:
  ///   - dImages: the slopes of the loss by the lane's rows of images.
  ///   - dTexts: by its rows of texts.
  func backward(dImages: UnsafePointer<Float>, dTexts: UnsafePointer<Float>) {
    let (count, columns) = (images.rows, images.columns)
    let slope = textContext.pool.tensor([count, columns])
    slope.data.update(from: dTexts, count: slope.count)
    encoder.backwardTexts(slope, textContext)
    for (number, range) in ranges(count).enumerated() {
      let slope = imageContexts[number].pool.tensor([range.count, columns])
      slope.data.update(from: dImages + range.lowerBound * columns, count: slope.count)
      encoder.backwardImages(slope, imageContexts[number])
    }
  }

  /// Guesses masked tokens; adds to the lane's gradients.
  ///
  /// - Parameter weight: what a token counts.
  /// - Returns: the weighted sum of negative log-likelihoods.
  func guess(_ batch: MaskedTexts, weight: Float) -> Float {
    guard let head, !batch.rows.isEmpty else { return 0 }
    return head.accumulateGradients(
      batch.texts, rows: batch.rows, targets: batch.targets, weight: weight, textContext)
  }

  private func ranges(_ count: Int) -> [Range<Int>] {
    let piece = min(piece, max(1, count))
    return stride(from: 0, to: count, by: piece).map { $0..<min($0 + piece, count) }
  }
}
