import Testing

@testable import Layers

/// The losses against finite differences and against their plain versions.
@Suite struct LossTests {
  private var random = SeededRandom(seed: 3)

  @Test mutating func contrastiveLossWithEqualCaptions() {
    var check = GradientCheck()
    check.step = 3e-3
    let loss = ContrastiveLoss(temperature: 0.3)
    let images = check.randomTensor([6, 5], &random, scale: 0.6)
    let texts = check.randomTensor([6, 5], &random, scale: 0.6)
    let groups: [Int32] = [0, 1, 2, 1, 3, 1]
    let (_, dImages, dTexts) = loss(images: images, texts: texts, groups: groups, check.context)
    let dScale = loss.logScale.gradient[0]
    check.compare([
      (name: "images", value: images.data, gradient: dImages.values),
      (name: "texts", value: texts.data, gradient: dTexts.values),
      (name: "logit_scale", value: loss.logScale.value, gradient: [dScale]),
    ]) {
      Double(loss(images: images, texts: texts, groups: groups, Context(training: false)).loss)
    }
  }

  @Test func contrastiveLossOfUnrelatedPairsIsTheLogarithmOfTheBatch() {
    let context = Context(training: false)
    let rows = context.pool.tensor([4, 2], [1, 0, 1, 0, 1, 0, 1, 0])
    let loss = ContrastiveLoss()(images: rows, texts: rows, groups: [0, 1, 2, 3], context).loss
    #expect(abs(loss - 1.3862944) < 1e-5)
    let equal = ContrastiveLoss()(images: rows, texts: rows, groups: [0, 0, 0, 0], context).loss
    #expect(abs(equal - 1.3862944) < 1e-5, "uniform targets over uniform logits")
  }

  @Test func aTemperatureBeyondItsBoundIsPulledBackButNotFurtherOut() {
    let context = Context(training: true)
    let images = context.pool.tensor([2, 2], [1, 0, 0, 1])
    let swapped = context.pool.tensor([2, 2], [0.1, 1, 1, 0.1])
    let loss = ContrastiveLoss(temperature: 1 / 200)
    #expect(abs(loss.scale - 100) < 1e-3)
    _ = loss(images: images, texts: swapped, groups: [0, 1], context)
    #expect(loss.logScale.gradient[0] > 1, "wrong pairs want a smaller scale")
    loss.logScale.gradient[0] = 0
    let close = context.pool.tensor([2, 2], [1, 0.99, 0.99, 1])
    _ = loss(images: images, texts: close, groups: [0, 1], context)
    #expect(loss.logScale.gradient[0] == 0, "right pairs want a larger one")
  }

  private static func queue(_ check: GradientCheck, _ random: inout SeededRandom) -> FeatureQueue {
    var queue = FeatureQueue(capacity: 5, columns: 5)
    for start in [0, 4] {
      queue.push(
        check.randomTensor([4, 5], &random, scale: 0.6),
        captions: (0..<4).map { Int32(start + $0) }, images: (0..<4).map { Int32(10 + start + $0) })
    }
    return queue
  }

  @Test mutating func contrastiveLossWithAQueue() {
    var check = GradientCheck()
    check.step = 3e-3
    let loss = ContrastiveLoss(temperature: 0.3)
    let images = check.randomTensor([4, 5], &random, scale: 0.6)
    let texts = check.randomTensor([4, 5], &random, scale: 0.6)
    let queue = Self.queue(check, &random)
    #expect(queue.count == 5)
    let (groups, imageGroups): ([Int32], [Int32]) = ([0, 1, 5, 1], [14, 1, 2, 3])
    func value(_ context: Context) -> (loss: Float, dImages: Tensor, dTexts: Tensor) {
      loss(
        images: images, texts: texts, groups: groups, imageGroups: imageGroups, queue: queue,
        context)
    }
    let (_, dImages, dTexts) = value(check.context)
    let dScale = loss.logScale.gradient[0]
    check.compare([
      (name: "images", value: images.data, gradient: dImages.values),
      (name: "texts", value: texts.data, gradient: dTexts.values),
      (name: "logit_scale", value: loss.logScale.value, gradient: [dScale]),
    ]) { Double(value(Context(training: false)).loss) }
    func rows(_ x: [Float]) -> [[Double]] {
      stride(from: 0, to: x.count, by: 5).map { x[$0..<($0 + 5)].map(Double.init) }
    }
    let queued = rows(queue.rows).enumerated().map { i, row in
      (row: row, caption: queue.captions[i], image: queue.images[i])
    }
    let plain = Plain.contrastive(
      images: rows(images.values), texts: rows(texts.values), captions: groups,
      imageGroups: imageGroups, scale: Double(loss.scale), queue: queued)
    #expect(abs(plain - Double(value(Context(training: false)).loss)) < 1e-5)
  }

  @Test mutating func theOldestOfAFullQueueGoesFirstAndKinAreNoNegatives() {
    let check = GradientCheck()
    let queue = Self.queue(check, &random)
    #expect(queue.captions == [5, 6, 7, 3, 4])
    #expect(queue.next == 3)
    let context = Context(training: false)
    let row = context.pool.tensor([1, 5], [1, 0, 0, 0, 0])
    func loss(_ queue: FeatureQueue?, caption: Int32, image: Int32) -> Float {
      ContrastiveLoss()(
        images: row, texts: row, groups: [caption], imageGroups: [image], queue: queue, context
      ).loss
    }
    var one = FeatureQueue(capacity: 3, columns: 5)
    one.push(row, captions: [7], images: [8])
    #expect(loss(nil, caption: 7, image: 9) == 0)
    #expect(loss(one, caption: 7, image: 9) == 0, "an equal caption")
    #expect(loss(one, caption: 1, image: 8) == 0, "an equal image")
    #expect(loss(one, caption: 1, image: 9) > 0.3)
  }

  @Test func aQueueGoesOnFromWhatWasKept() {
    let context = Context(training: false)
    var queue = FeatureQueue(capacity: 3, columns: 1)
    for i in 0..<4 {
      queue.push(context.pool.tensor([1, 1], [Float(i)]), captions: [Int32(i)], images: [0])
    }
    var kept = FeatureQueue(
      capacity: 3, columns: 1, rows: queue.rows, captions: queue.captions, images: queue.images,
      next: queue.next)
    #expect(kept == queue)
    kept?.push(context.pool.tensor([1, 1], [9]), captions: [9], images: [0])
    #expect(kept?.captions == [3, 9, 2])
    #expect(
      FeatureQueue(capacity: 3, columns: 2, rows: [1], captions: [1], images: [1], next: 0) == nil)
  }

  @Test mutating func softmaxCrossEntropy() {
    var check = GradientCheck()
    let logits = check.randomTensor([4, 7], &random)
    let targets: [Int32] = [0, 6, 3, 3]
    let slopes = check.context.pool.copy(logits)
    let loss = SoftmaxCrossEntropy.apply(slopes, targets: targets, weight: 0.25)
    func plain() -> Double {
      Plain.crossEntropy(
        (0..<4).map { row in (0..<7).map { Double(logits.data[row * 7 + $0]) } },
        targets: targets.map(Int.init))
    }
    #expect(abs(Double(loss) - plain()) < 1e-5)
    check.compare([(name: "logits", value: logits.data, gradient: slopes.values)], loss: plain)
  }
}
