import Testing

@testable import Layers

/// Every layer's backward against finite differences.
@Suite struct LayerGradientTests {
  private var random = SeededRandom(seed: 3)

  @Test mutating func linear() {
    var check = GradientCheck()
    check.check(Linear("l", inputs: 7, outputs: 5, &random), input: [6, 7])
  }

  @Test func layerNorm() {
    var check = GradientCheck()
    check.check(LayerNorm("n", 9), input: [5, 9])
  }

  @Test func imageNorm() {
    var check = GradientCheck()
    check.check(ImageNorm("n", 5), input: [3, 2, 4, 5])
    check.step = 1e-3
    check.check(ImageNorm("r", 5, rectified: true), input: [3, 2, 4, 5])
  }

  @Test func quickGELU() {
    var check = GradientCheck()
    check.check(QuickGELU(), input: [4, 11])
  }

  @Test func gelu() {
    var check = GradientCheck()
    check.check(GELU(), input: [4, 11])
  }

  @Test func relu() {
    var check = GradientCheck()
    check.step = 1e-4
    check.check(ReLU(), input: [4, 11])
  }

  @Test func unitLength() {
    var check = GradientCheck()
    check.check(UnitLength(), input: [5, 8])
  }

  @Test func averagePool() {
    var check = GradientCheck()
    check.check(AveragePool(), input: [2, 3, 4, 5])
  }

  @Test mutating func residualOfASequence() {
    var check = GradientCheck()
    check.check(
      Residual(
        Sequential([
          LayerNorm("n", 6), Linear("a", inputs: 6, outputs: 12, &random), QuickGELU(),
          Linear("b", inputs: 12, outputs: 6, &random),
        ])), input: [4, 6])
  }

  @Test mutating func embeddingBag() {
    var check = GradientCheck()
    let bag = EmbeddingBag("e", rows: 6, columns: 4, &random)
    let (ids, ends): ([Int32], [Int32]) = ([0, 3, 3, 5, 1], [2, 2, 5])
    let y = bag.forward(ids: ids, ends: ends, check.context)
    #expect(y.values[4..<8] == [0, 0, 0, 0], "an empty bag is zero")
    let direction = check.randomTensor(y.shape, &random)
    bag.backward(direction, check.context)
    let table = bag.parameters[0]
    let gradient = Array(UnsafeBufferPointer(start: table.gradient, count: table.count))
    let still = Context(training: false)
    check.compare([(name: "table", value: table.value, gradient: gradient)]) {
      let y = bag.forward(ids: ids, ends: ends, still)
      return (0..<y.count).reduce(0) { $0 + Double(y.data[$1]) * Double(direction.data[$1]) }
    }
  }

  @Test(
    arguments: [PackedMean(), PackedEnd(last: false), PackedEnd(last: true)]
      as [any PackedPooling])
  mutating func packedPooling(layer: any PackedPooling) {
    var check = GradientCheck()
    let packing = Packing(lengths: [2, 0, 3])
    let x = check.randomTensor([5, 4], &random)
    let y = layer.forward(x, packing, check.context)
    #expect(y.values[4..<8] == [0, 0, 0, 0])
    let direction = check.randomTensor(y.shape, &random)
    let dx = layer.backward(direction, packing, check.context)
    let still = Context(training: false)
    check.compare([(name: "input", value: x.data, gradient: dx.values)]) {
      let y = layer.forward(x, packing, still)
      return (0..<y.count).reduce(0) { $0 + Double(y.data[$1]) * Double(direction.data[$1]) }
    }
  }

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
}
