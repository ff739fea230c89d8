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
    check.check(ImageNorm("i", 5, rectified: .input), input: [3, 2, 4, 5])
    check.check(ImageNorm("o", 5, rectified: .output), input: [3, 2, 4, 5])
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
}
