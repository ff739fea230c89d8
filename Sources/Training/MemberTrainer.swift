import Encoders
import Layers
import Text

/// Trains one member on some pairs of a corpus, on the calling thread. The result depends on nothing but the
/// arguments.
struct MemberTrainer {
  let configuration: TrainingConfiguration
  let member: MemberConfiguration
  let epochs: Int
  let minimumSteps: Int
  let seed: UInt64
  /// Images pass through the encoder this many at a time.
  private static let piece = 32

  init(
    _ configuration: TrainingConfiguration, member: MemberConfiguration, epochs: Int,
    minimumSteps: Int, seed: UInt64
  ) {
    self.configuration = configuration
    self.member = member
    self.epochs = epochs
    self.minimumSteps = minimumSteps
    self.seed = seed
  }

  /// `epochs` epochs, and as many more as a small corpus needs to make `minimumSteps` steps.
  func steps(pairs: Int) -> Int {
    let perEpoch = max(1, pairs / batch(pairs: pairs))
    return perEpoch * max(epochs, (minimumSteps + perEpoch - 1) / perEpoch)
  }

  /// A small corpus is cut into at least eight batches, as far as sixteen pairs make one.
  private func batch(pairs: Int) -> Int {
    min(configuration.batchSize, max(16, pairs / 8), pairs)
  }

  /// - Parameters:
  ///   - indices: the pairs to learn from, at least two.
  ///   - captionGroups: for each pair of the corpus, a number shared by the pairs with an equal caption.
  ///   - onStep: called after each step with its number (from 1) and loss; throw to stop.
  /// - Returns: the trained member, with the moving average of its weights.
  func train(
    on corpus: some TrainingCorpus, indices: [Int], captionGroups: [Int32],
    onStep: (Int, Float) throws -> Void
  ) rethrows -> DualEncoder {
    var random = SeededRandom(seed: seed)
    let encoder = DualEncoder(member, seed: random.next())
    let tokens = indices.map { encoder.tokenizer.tokens(of: corpus.caption($0)) }
    let batch = batch(pairs: indices.count)
    let steps = steps(pairs: indices.count)
    let optimiser = AdamW(encoder.parameters, steps: steps, settings: configuration.optimiser)
    let textContext = Context(training: true)
    let pieces = (batch + Self.piece - 1) / Self.piece
    let contexts = (0..<pieces).map { _ in Context(training: true) }
    var order = Array(indices.indices)
    var next = order.count
    for step in 0..<steps {
      if next + batch > order.count {
        random.shuffle(&order)
        next = 0
      }
      let chosen = order[next..<(next + batch)]
      next += batch
      let images = chosen.chunks(of: Self.piece).enumerated().map { number, chunk in
        augmented(corpus, chunk.map { indices[$0] }, contexts[number].pool, &random)
      }
      let captions = chosen.map { configuration.augmentation.caption(tokens[$0], &random) }
      let loss = encoder.accumulateGradients(
        images: images, captions: captions, groups: chosen.map { captionGroups[indices[$0]] },
        imageContexts: contexts, textContext: textContext)
      optimiser.update()
      try onStep(step + 1, loss)
    }
    optimiser.adoptAverage()
    return encoder
  }

  private func augmented(
    _ corpus: some TrainingCorpus, _ chunk: [Int], _ pool: BufferPool, _ random: inout SeededRandom
  ) -> Tensor {
    let form = member.image.thumbnail
    let tensor = pool.tensor([chunk.count, form.side, form.side, 3])
    for (row, index) in chunk.enumerated() {
      corpus.withThumbnail(index, form) { pixels in
        configuration.augmentation.image(
          pixels, side: form.side, into: tensor.data + row * form.byteCount, &random)
      }
    }
    return tensor
  }
}

extension ArraySlice {
  /// Runs of `size` elements, the last one shorter where it must be.
  func chunks(of size: Int) -> [ArraySlice] {
    stride(from: startIndex, to: endIndex, by: size).map {
      self[$0..<Swift.min($0 + size, endIndex)]
    }
  }
}
