import Testing

@testable import Layers

/// The convolution against its formula and its gradients: the direct way, and Winograd's for 3 x 3.
@Suite struct ConvolutionTests {
  private var random = SeededRandom(seed: 5)

  /// What is convolved how. The side of the images is 9 x 10: whole tiles, parts of tiles and edges.
  struct Geometry: Sendable, CustomTestStringConvertible {
    var kernel, stride, inputs, outputs: Int
    var testDescription: String { "\(kernel) / \(stride), \(inputs) to \(outputs)" }
  }

  static let geometries = [
    Geometry(kernel: 3, stride: 1, inputs: 3, outputs: 4),
    Geometry(kernel: 3, stride: 2, inputs: 3, outputs: 4),
    Geometry(kernel: 5, stride: 2, inputs: 3, outputs: 4),
    Geometry(kernel: 1, stride: 1, inputs: 3, outputs: 4),
    Geometry(kernel: 1, stride: 2, inputs: 3, outputs: 4),
    Geometry(kernel: 3, stride: 2, inputs: 20, outputs: 33),
    Geometry(kernel: 3, stride: 1, inputs: 16, outputs: 48),
    Geometry(kernel: 3, stride: 1, inputs: 32, outputs: 32),
    Geometry(kernel: 3, stride: 2, inputs: 16, outputs: 48),
    Geometry(kernel: 3, stride: 2, inputs: 32, outputs: 32),
  ]

  private mutating func layer(_ geometry: Geometry, inputGradient: Bool = true) -> Convolution {
    Convolution(
      "c", kernel: geometry.kernel, stride: geometry.stride, inputs: geometry.inputs,
      outputs: geometry.outputs, inputGradient: inputGradient, &random)
  }

  @Test(arguments: geometries) mutating func forwardIsTheFormula(geometry: Geometry) {
    let layer = layer(geometry)
    let context = Context(training: false)
    let images = (0..<3).map { _ in (0..<(9 * 10 * geometry.inputs)).map { _ in random.normal() } }
    layer.parameters[1].values = (0..<geometry.outputs).map { _ in random.normal() }
    let x = context.pool.tensor([3, 9, 10, geometry.inputs], images.flatMap { $0 })
    let y = layer.forward(x, context).values
    let plain = images.flatMap {
      Plain.convolution(
        $0, height: 9, width: 10, inputs: geometry.inputs, weight: layer.parameters[0].values,
        bias: layer.parameters[1].values, kernel: geometry.kernel, stride: geometry.stride)
    }
    #expect(y.count == plain.count)
    #expect(zip(y, plain).allSatisfy { abs($0 - $1) < 1e-4 })
  }

  @Test(arguments: geometries) mutating func backwardIsTheSlope(geometry: Geometry) {
    var check = GradientCheck()
    check.check(layer(geometry), input: [2, 9, 10, geometry.inputs])
  }

  @Test mutating func theFirstSkipsItsInputGradient() {
    var check = GradientCheck()
    let first = layer(
      Geometry(kernel: 3, stride: 2, inputs: 3, outputs: 4), inputGradient: false)
    check.check(first, input: [2, 6, 6, 3], inputGradient: false)
  }

  @Test mutating func anImageDoesNotDependOnItsBatch() {
    for geometry in Self.geometries {
      let layer = layer(geometry)
      let context = Context(training: false)
      let size = 9 * 10 * geometry.inputs
      let many = (0..<(20 * size)).map { _ in random.normal() }
      let shape = [9, 10, geometry.inputs]
      let together = layer.forward(context.pool.tensor([20] + shape, many), context).values
      let last = context.pool.tensor([1] + shape, Array(many.suffix(size)))
      let alone = layer.forward(last, context).values
      #expect(together.suffix(alone.count) == alone[...], "\(geometry.testDescription)")
    }
  }

  /// Many images are more tiles than are worked on at once.
  @Test(arguments: geometries) mutating func manyImagesGiveTheSumOfTheirGradients(
    geometry: Geometry
  ) {
    let layer = layer(geometry)
    let context = Context(training: true)
    let size = 9 * 10 * geometry.inputs
    let many = (0..<(14 * size)).map { _ in random.normal() }
    func gradients(_ range: Range<Int>) -> (input: [Float], weight: [Float]) {
      let part = Array(many[(range.lowerBound * size)..<(range.upperBound * size)])
      let x = context.pool.tensor([range.count, 9, 10, geometry.inputs], part)
      for parameter in layer.parameters {
        parameter.gradient.update(repeating: 0, count: parameter.count)
      }
      // The output stands for its gradient.
      let y = layer.forward(x, context)
      let dx = layer.backward(y, context).values
      let weight = layer.parameters[0]
      return (dx, (0..<weight.count).map { weight.gradient[$0] })
    }
    let together = gradients(0..<14)
    let alone = (0..<14).map { gradients($0..<($0 + 1)) }
    #expect(together.input == alone.flatMap(\.input))
    for i in together.weight.indices {
      let sum = alone.reduce(0) { $0 + $1.weight[i] }
      #expect(abs(together.weight[i] - sum) < 1e-3 * max(1, abs(sum)))
    }
  }

  @Test mutating func aGroupedLayerGivesWhatItGivesAlone() {
    let layer = layer(Geometry(kernel: 3, stride: 2, inputs: 16, outputs: 48))
    let values = (0..<(7 * 4 * 6 * 16)).map { _ in random.normal() }
    for training in [false, true] {
      let context = Context(training: training)
      let x = context.pool.tensor([7, 4, 6, 16], values)
      let alone = layer.forward(x, context)
      for size in [1, 3, 7, 8] {
        let y = Grouped(layer, size: size).forward(x, context)
        #expect(y.shape == alone.shape)
        #expect(y.values == alone.values, "groups of \(size)")
      }
    }
  }

  @Test mutating func aResidualBlockAddsItsInput() {
    var check = GradientCheck()
    check.step = 1e-3
    for channels in [5, 16] {
      check.check(
        ResidualConvolution("r", channels: channels, &random), input: [2, 5, 4, channels])
    }
  }

  @Test mutating func filtersAreKeptWhereTheWeightsStay() {
    let layer = layer(Geometry(kernel: 3, stride: 1, inputs: 16, outputs: 16))
    let prepared = PreparedWeights()
    let context = Context(training: false, prepared: prepared)
    let x = context.pool.tensor([1, 4, 4, 16], (0..<256).map { _ in random.normal() })
    let before = layer.forward(x, context).values
    layer.parameters[0].value.update(repeating: 0, count: layer.parameters[0].count)
    #expect(layer.forward(x, context).values == before)
    let ofAnotherThread = Context(training: false, prepared: prepared)
    #expect(layer.forward(x, ofAnotherThread).values == before)
    let reading = Context(training: false)
    #expect(layer.forward(x, reading).values.allSatisfy { $0 == 0 })
  }
}
