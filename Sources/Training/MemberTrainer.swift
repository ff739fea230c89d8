import Encoders
import Layers
import Text

/// Trains one member on some pairs of a corpus, on the calling thread. The result depends on nothing but the
/// arguments.
struct MemberTrainer {
  let configuration: TrainingConfiguration
  let member: MemberConfiguration
  let seed: UInt64
  /// Images pass through the encoder this many at a time.
  private static let piece = 32

  init(_ configuration: TrainingConfiguration, member: MemberConfiguration, seed: UInt64) {
    self.configuration = configuration
    self.member = member
    self.seed = seed
  }

  func steps(pairs: Int) -> Int { configuration.epochs * max(1, pairs / batch(pairs: pairs)) }

  /// A corpus smaller than a batch is a batch.
  private func batch(pairs: Int) -> Int { min(configuration.batchSize, pairs) }

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
    var trust = Trust(count: indices.count)
    for step in 0..<steps {
      if next + batch > order.count {
        let progress = Float(step) / Float(steps)
        if progress >= configuration.trustAfter {
          order = trust.mostTrusted(
            Int((Float(indices.count) * configuration.trustedShare).rounded(.up)))
        }
        random.shuffle(&order)
        next = 0
      }
      let chosen = order[next..<(next + batch)]
      next += batch
      let images = chosen.chunks(of: Self.piece).enumerated().map { number, chunk in
        augmented(corpus, chunk.map { indices[$0] }, contexts[number].pool, &random)
      }
      let captions = chosen.map { configuration.augmentation.caption(tokens[$0], &random) }
      let (loss, pairLosses) = encoder.accumulateGradients(
        images: images, captions: captions, groups: chosen.map { captionGroups[indices[$0]] },
        imageContexts: contexts, textContext: textContext)
      optimiser.update()
      for (index, loss) in zip(chosen, pairLosses) { trust.record(index, loss: loss) }
      try onStep(step + 1, loss)
    }
    optimiser.adoptAverage()
    return encoder
  }

  private func augmented(
    _ corpus: some TrainingCorpus, _ chunk: [Int], _ pool: BufferPool, _ random: inout SeededRandom
  ) -> Tensor {
    let side = configuration.imageSide
    let size = side * side * 3
    let tensor = pool.tensor([chunk.count, side, side, 3])
    for (row, index) in chunk.enumerated() {
      corpus.withThumbnail(index) { pixels in
        configuration.augmentation.image(
          pixels, side: side, into: tensor.data + row * size, &random)
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

/// Ensemble Confident Learning within one run (Wang et al. 2021, algorithm 1): a pair's losses are accumulated each
/// time it is seen; later epochs leave out those that have been hardest to learn so far, which mismatched pairs are
/// until the network begins to memorise them (Arpit et al. 2017).
struct Trust {
  private var losses: [Float]
  private var seen: [Float]

  init(count: Int) {
    losses = [Float](repeating: 0, count: count)
    seen = losses
  }

  mutating func record(_ index: Int, loss: Float) {
    losses[index] += loss
    seen[index] += 1
  }

  /// The `count` pairs of lowest mean loss, in order of index; pairs not seen yet are trusted.
  func mostTrusted(_ count: Int) -> [Int] {
    let means = zip(losses, seen).map { $1 > 0 ? $0 / $1 : 0 }
    return means.indices.sorted { (means[$0], $0) < (means[$1], $1) }.prefix(count).sorted()
  }
}
