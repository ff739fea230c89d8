import Encoders
import Layers

/// What a step was like.
public struct StepReport: Sendable, Equatable {
  /// From 1.
  public var step: Int
  /// From 1.
  public var epoch: Int
  /// What is minimised, in nats.
  public var loss: Float
  public var contrastive: Float
  /// Of the masked tokens, in nats; nil without unpaired text.
  public var mlm: Float?
  public var learningRate: Float
  /// 1 / temperature.
  public var logitScale: Float
  /// Pairs in the step.
  public var pairs: Int

  public init(
    step: Int, epoch: Int, loss: Float, contrastive: Float, mlm: Float?, learningRate: Float,
    logitScale: Float, pairs: Int
  ) {
    (self.step, self.epoch, self.pairs) = (step, epoch, pairs)
    (self.loss, self.contrastive, self.mlm) = (loss, contrastive, mlm)
    (self.learningRate, self.logitScale) = (learningRate, logitScale)
  }
}

/// Trains one model, step by step. All that it has become after a step can be kept (`Trainer+Checkpoint.swift`), and who
/// goes on from there ends with the same weights, bit for bit. The weights depend on the recipe, the seed and the pairs,
/// and not on the number of threads.
final class Trainer<Corpus: TrainingCorpus> {
  let corpus: Corpus
  /// Indices into the corpus.
  let pairs: [Int]
  let groups: PairGroups
  /// Of a member with a dictionary.
  let features: FeatureCache?
  let masked: MaskedLearning?
  let recipe: Recipe
  let seed: UInt64
  let workers: Int
  let plan: EpochPlan
  /// The model; its gradients are those of the first lane.
  let encoder: DualEncoder
  let parameters: [Parameter]
  let optimiser: AdamW
  var queue: FeatureQueue
  var trust: SnapshotTrust
  /// The epoch that `order` belongs to, and its pairs as places in `pairs`.
  private var order: (epoch: Int, places: [Int]) = (-1, [])
  private let lanes: [Lane]
  private let context = Context(training: true)

  /// - Parameters:
  ///   - pairs: indices into the corpus, at least two.
  ///   - tokenizer: where the member's tokens are of a vocabulary.
  ///   - groups: of the whole corpus.
  ///   - features: for a member with a dictionary, of the whole corpus.
  ///   - masked: for a member with token rows only.
  ///   - workers: threads.
  init(
    _ recipe: Recipe, member: MemberConfiguration, seed: UInt64,
    tokenizer: (any CaptionTokenizer)? = nil, on corpus: Corpus, pairs: [Int], groups: PairGroups,
    features: FeatureCache? = nil, masked: MaskedLearning? = nil, workers: Int = 1
  ) {
    precondition((member.image.stem == nil) == (features == nil), "\(member.name): features")
    self.features = features
    self.recipe = recipe
    self.seed = seed
    self.corpus = corpus
    self.pairs = pairs
    self.groups = groups
    self.workers = workers
    plan = recipe.plan(pairs: pairs.count)
    var random = SeededRandom(seed, .weights, 0)
    let encoder = DualEncoder(
      member, seed: random.next(), tokenizer: tokenizer, stem: features?.stem)
    self.encoder = encoder
    let head = masked == nil ? nil : MaskedLanguageHead(encoder, seed: random.next())
    precondition(masked == nil || head != nil, "\(member.name) has no rows to guess tokens from")
    self.masked = masked
    lanes =
      [Lane(encoder, head, features: features?.columns)]
      + (1..<max(1, min(recipe.lanes, plan.batch))).map { _ in
        let replica = encoder.replica()
        return Lane(replica, head?.replica(for: replica), features: features?.columns)
      }
    parameters = lanes[0].parameters
    optimiser = AdamW(
      parameters, replicas: lanes.dropFirst().map(\.parameters), steps: plan.steps,
      settings: recipe.optimiser)
    queue = FeatureQueue(capacity: recipe.queue, columns: member.dimension)
    trust = SnapshotTrust(pairs: pairs.count)
  }

  /// Steps made so far.
  var step: Int { optimiser.step }
  var isFinished: Bool { step >= plan.steps }

  /// Makes the next step, and before an epoch's first one what is due then.
  func advance() throws -> StepReport {
    try judgeEpoch(keptAt: nil, isCancelled: { false })
    let (epoch, number) = plan.place(of: step)
    if order.epoch != epoch {
      order = (epoch, trust.kept)
      var random = SeededRandom(seed, .order, epoch)
      random.shuffle(&order.places)
    }
    let chosen = order.places[(number * plan.batch)..<((number + 1) * plan.batch)].map { pairs[$0] }
    let rate = optimiser.rate(at: step)
    let (contrastive, mlm) = try accumulateGradients(chosen)
    optimiser.update(workers: workers)
    let loss = mlm.map { contrastive * contrastiveShare + $0 * (1 - contrastiveShare) }
    return StepReport(
      step: step, epoch: epoch + 1, loss: loss ?? contrastive, contrastive: contrastive, mlm: mlm,
      learningRate: rate,
      logitScale: encoder.loss.scale, pairs: chosen.count)
  }

  /// Once an epoch is over, leaves the pairs out of the next one that the snapshots trust least.
  ///
  /// - Parameter path: tells, given the epoch, where the pairs' cosines are kept while they are computed.
  /// - Throws: `TrainingError.file`, `.badCheckpoint`, `.cancelled`.
  func judgeEpoch(
    keptAt path: ((Int) -> String)?, isCancelled: @escaping @Sendable () -> Bool
  ) throws {
    let epoch = plan.place(of: step).epoch
    guard recipe.ecl != nil, trust.epochs < epoch, epoch < plan.sizes.count else { return }
    // What came of the one before is in a checkpoint, or takes no longer to find again than one takes to come.
    if let path { KeptRows.remove(path(epoch - 1)) }
    let chosen = trust.kept.map { pairs[$0] }
    trust.add(try cosines(chosen, keptAt: path?(epoch), isCancelled: isCancelled))
    trust.prune(to: plan.sizes[epoch])
  }

  /// The model that training would end with now: the moving average of the weights.
  func average() -> DualEncoder {
    let model = DualEncoder(encoder.configuration, seed: 0, tokenizer: encoder.tokenizer)
    for (parameter, values) in zip(model.parameters, optimiser.state.averages) {
      parameter.values = values
    }
    for (own, trained) in zip(model.frozen, encoder.frozen) { own.values = trained.values }
    return model
  }

  /// What the contrastive loss counts; the masked tokens' loss counts the rest.
  private var contrastiveShare: Float {
    masked.map { 1 / (1 + $0.masking.configuration.weight) } ?? 1
  }

  /// Forward and backward of a batch: the lanes encode their parts, the loss sees all of them, the lanes go back.
  private func accumulateGradients(
    _ chosen: [Int]
  ) throws -> (contrastive: Float, mlm: Float?) {
    var random = SeededRandom(seed, .augmentation, step)
    let seeds = chosen.map { _ in random.next() }
    let parts = lanes.indices.map { part(of: chosen.count, $0) }
    let (lanes, corpus, recipe, share) = (lanes, corpus, recipe, contrastiveShare)
    let features = features
    _ = try parallelMap(lanes.count, workers: workers) { number in
      try lanes[number].forward(
        parts[number].map { (chosen[$0], seeds[$0]) }, of: corpus, features, recipe: recipe)
    }
    let (v, t) = (gather(\.images, chosen.count), gather(\.texts, chosen.count))
    let captions = chosen.map { groups.captions[$0] }
    let images = chosen.map { groups.images[$0] }
    let (loss, dv, dt) = encoder.loss(
      images: v, texts: t, groups: captions, imageGroups: images,
      queue: recipe.queue > 0 ? queue : nil, share: share, context)
    queue.push(v, captions: captions, images: images)
    let slopes = Slopes(images: dv.data, texts: dt.data, columns: dv.columns)
    let texts = masked?.batch(seed: seed, step: step, lanes: lanes.count)
    let guessed = texts?.reduce(0) { $0 + $1.rows.count } ?? 0
    let weight = (1 - share) / Float(max(1, guessed))
    let losses = try parallelMap(lanes.count, workers: workers) { number in
      let start = parts[number].lowerBound * slopes.columns
      lanes[number].backward(dImages: slopes.images + start, dTexts: slopes.texts + start)
      return texts.map { lanes[number].guess($0[number], weight: weight) } ?? 0
    }
    let mlm = texts.map { _ in losses.reduce(0, +) / (1 - share) }
    return withExtendedLifetime((dv, dt)) { (loss, mlm) }
  }

  /// The cosine of each of these pairs under the weights as they are.
  private func cosines(
    _ chosen: [Int], keptAt path: String?, isCancelled: @escaping @Sendable () -> Bool
  ) throws -> [Float] {
    // A new one each time: what it makes of the weights is of the weights as they were.
    let frozen = FrozenEncoder(encoder)
    let (corpus, features, image) = (corpus, features, encoder.configuration.image)
    return try KeptRows.computed(
      chosen.count, bytes: MemoryLayout<Float>.stride, keptAt: path, unit: 48, workers: workers,
      isCancelled: isCancelled, state: PairEncoder(frozen)
    ) { still, range, target in
      let pairs = chosen[range].map { $0 }
      let v: [Float]
      if let features {
        v = try still.images(count: pairs.count, features: features.columns) {
          try features.read(pairs[$0], mirrored: false, into: $1)
        }
      } else {
        v = still.images(count: pairs.count) { i, target in
          corpus.withThumbnail(pairs[i], image.thumbnail) { image.normalise($0, into: target) }
        }
      }
      let t = still.texts(try pairs.map(corpus.caption))
      let cosines = target.bindMemory(to: Float.self)
      for row in pairs.indices {
        cosines[row] = (0..<still.dimension).reduce(0) {
          $0 + v[row * still.dimension + $1] * t[row * still.dimension + $1]
        }
      }
    }.all(as: Float.self)
  }

  /// The places that a lane takes of `count`.
  private func part(of count: Int, _ lane: Int) -> Range<Int> {
    (count * lane / lanes.count)..<(count * (lane + 1) / lanes.count)
  }

  private func gather(_ rows: KeyPath<Lane, Tensor>, _ count: Int) -> Tensor {
    let whole = context.pool.tensor([count, encoder.configuration.dimension])
    var target = whole.data
    for lane in lanes {
      let part = lane[keyPath: rows]
      target.update(from: part.data, count: part.count)
      target += part.count
    }
    return whole
  }
}

/// The loss's slopes, which every lane reads its rows of.
private struct Slopes: @unchecked Sendable {
  // Unchecked: only read, while the tensors live.
  let images: UnsafePointer<Float>
  let texts: UnsafePointer<Float>
  let columns: Int

  init(images: UnsafeMutablePointer<Float>, texts: UnsafeMutablePointer<Float>, columns: Int) {
    self.images = UnsafePointer(images)
    self.texts = UnsafePointer(texts)
    self.columns = columns
  }
}

extension Lane {
  /// Encodes pairs, each augmented as its seed says.
  fileprivate func forward(
    _ pairs: [(index: Int, seed: UInt64)], of corpus: some TrainingCorpus,
    _ features: FeatureCache?, recipe: Recipe
  ) throws {
    var randoms = pairs.map { SeededRandom(seed: $0.seed) }
    let framed = encoder.configuration.text.tokens != .words
    let captions = try pairs.indices.map { i in
      recipe.augmentation.caption(
        encoder.tokenizer.tokens(of: try corpus.caption(pairs[i].index)), framed: framed,
        &randoms[i])
    }
    let form = encoder.configuration.image.thumbnail
    try forward(captions: captions, seeds: pairs.map(\.seed)) { i, target in
      if let features {
        let mirrored = randoms[i].uniform() < recipe.augmentation.mirror
        return try features.read(pairs[i].index, mirrored: mirrored, into: target)
      }
      corpus.withThumbnail(pairs[i].index, form) {
        recipe.augmentation.image($0, side: form.side, into: target, &randoms[i])
      }
    }
  }
}
