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
  }

  @Test func quickGELU() {
    var check = GradientCheck()
    check.check(QuickGELU(), input: [4, 11])
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

  @Test(arguments: [(3, 1), (3, 2), (1, 1), (5, 2)])
  mutating func convolution(kernel: Int, stride: Int) {
    var check = GradientCheck()
    check.check(
      Convolution("c", kernel: kernel, stride: stride, inputs: 3, outputs: 4, &random),
      input: [2, 6, 7, 3])
  }

  @Test mutating func firstConvolutionSkipsItsInputGradient() {
    var check = GradientCheck()
    check.check(
      Convolution(
        "c", kernel: 3, stride: 2, inputs: 3, outputs: 4, inputGradient: false, &random),
      input: [2, 6, 6, 3], inputGradient: false)
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

  @Test mutating func transformerBlockWithPaddedItems() {
    var check = GradientCheck()
    let block = TransformerBlock("t", columns: 8, heads: 2, &random)
    let lengths: [Int32] = [5, 3, 1]
    let x = check.randomTensor([3, 5, 8], &random)
    let y = block.forward(x, lengths: lengths, check.context)
    let direction = check.randomTensor(y.shape, &random)
    let dx = block.backward(direction, check.context)
    #expect(check.context.isSettled)
    let still = Context(training: false)
    var arrays = block.parameters.map {
      (
        name: $0.name, value: $0.value,
        gradient: Array(UnsafeBufferPointer(start: $0.gradient, count: $0.count))
      )
    }
    arrays.append((name: "input", value: x.data, gradient: dx.values))
    check.compare(arrays) {
      let y = block.forward(x, lengths: lengths, still)
      return (0..<y.count).reduce(0) { $0 + Double(y.data[$1]) * Double(direction.data[$1]) }
    }
  }

  @Test mutating func attentionDoesNotSeeBeyondAnItemsLength() {
    let block = TransformerBlock("t", columns: 8, heads: 2, &random)
    let context = Context(training: false)
    let check = GradientCheck()
    let x = check.randomTensor([1, 4, 8], &random)
    let before = block.forward(x, lengths: [2], context).values.prefix(16)
    for i in 16..<32 { x.data[i] = 99 }
    #expect(block.forward(x, lengths: [2], context).values.prefix(16) == before)
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

  @Test mutating func maskedMean() {
    var check = GradientCheck()
    let mean = MaskedMean()
    let x = check.randomTensor([2, 3, 4], &random)
    let y = mean.forward(x, lengths: [2, 0], check.context)
    #expect(y.values[4..<8] == [0, 0, 0, 0])
    let direction = check.randomTensor(y.shape, &random)
    let dx = mean.backward(direction, positions: 3, check.context)
    let still = Context(training: false)
    check.compare([(name: "input", value: x.data, gradient: dx.values)]) {
      let y = mean.forward(x, lengths: [2, 0], still)
      return (0..<y.count).reduce(0) { $0 + Double(y.data[$1]) * Double(direction.data[$1]) }
    }
  }
}
