import Testing

@testable import Layers

@Suite struct TransformerTests {
  private var random = SeededRandom(seed: 5)
  /// Lengths that fill vectors and tiles, and that don't.
  private static let lengths = [5, 1, 0, 17, 4]

  private static func shape(
    _ norm: TransformerShape.Norm, causal: Bool, heads: Int = 2
  ) -> TransformerShape {
    var shape = TransformerShape(width: 8, depth: 2, heads: heads, hidden: 12)
    shape.norm = norm
    shape.causal = causal
    shape.activation = causal ? .quickGELU : .gelu
    shape.qkvBias = !causal
    return shape
  }

  @Test(arguments: [
    shape(.pre, causal: false), shape(.pre, causal: true, heads: 4), shape(.post, causal: false),
    shape(.post, causal: true),
  ])
  mutating func backwardMatchesFiniteDifferences(shape: TransformerShape) {
    var check = GradientCheck()
    let transformer = Transformer("t", shape, &random)
    let packing = Packing(lengths: Self.lengths)
    // Gains start at 1 and biases at 0: random values check more.
    for parameter in transformer.parameters where !parameter.decays {
      for i in 0..<parameter.count { parameter.value[i] += 0.2 * random.normal() }
    }
    let x = check.randomTensor([packing.rows, 8], &random)
    let y = transformer.forward(x, packing, check.context)
    let direction = check.randomTensor(y.shape, &random)
    let dx = transformer.backward(direction, packing, check.context)
    #expect(check.context.isSettled)
    let still = Context(training: false)
    var arrays = transformer.parameters.map {
      (
        name: $0.name, value: $0.value,
        gradient: Array(UnsafeBufferPointer(start: $0.gradient, count: $0.count))
      )
    }
    arrays.append((name: "input", value: x.data, gradient: dx.values))
    check.compare(
      arrays,
      loss: {
        let y = transformer.forward(still.pool.copy(x), packing, still)
        return (0..<y.count).reduce(0) { $0 + Double(y.data[$1]) * Double(direction.data[$1]) }
      }, tolerance: 3e-2)
  }

  @Test(arguments: [1, 3, 16, 31, 80, 300], [false, true])
  mutating func attentionIsThatOfTheFormula(length: Int, causal: Bool) {
    let (columns, heads) = (24, 2)
    let context = Context(training: true)
    let packing = Packing(lengths: [2, length])
    let qkv = (0..<(packing.rows * 3 * columns)).map { _ in random.normal() }
    let projected = context.pool.tensor([packing.rows, 3 * columns], qkv)
    let attention = Attention("a", columns: columns, heads: heads, causal: causal, &random)
    let mixed = attention.mix(projected, packing, context)
    let plain = Plain.attention(
      Array(qkv[(2 * 3 * columns)...]), length: length, columns: columns, heads: heads,
      causal: causal)
    for (fast, slow) in zip(mixed.values[(2 * columns)...], plain) {
      #expect(abs(fast - slow) < 1e-5)
    }
  }

  @Test mutating func longItemsHaveTheGradientsOfShortOnes() {
    // The same item by both ways: 300 rows, of which all but 20 are seen by nobody (causal).
    let (columns, heads, length) = (16, 2, 300)
    let attention = Attention("a", columns: columns, heads: heads, causal: true, &random)
    let context = Context(training: true)
    func gradient(_ rows: Int) -> [Float] {
      var random = SeededRandom(seed: 1)
      let x = context.pool.zeros([rows, columns])
      let dy = context.pool.zeros([rows, columns])
      for i in 0..<(20 * columns) { x.data[i] = random.normal() }
      for i in 0..<(20 * columns) { dy.data[i] = random.normal() }
      let sum = context.pool.zeros([rows, columns])
      attention.forward(x, Packing(lengths: [rows]), addedTo: sum, context)
      return Array(
        attention.backward(dy, Packing(lengths: [rows]), context).values.prefix(20 * columns))
    }
    for (long, short) in zip(gradient(length), gradient(20)) {
      #expect(abs(long - short) < 1e-4)
    }
  }

  @Test mutating func anItemDoesNotSeeItsNeighbours() {
    let transformer = Transformer("t", Self.shape(.pre, causal: false), &random)
    let context = Context(training: false)
    let check = GradientCheck()
    let x = check.randomTensor([7, 8], &random)
    let together = transformer.forward(context.pool.copy(x), Packing(lengths: [3, 4]), context)
    let alone = transformer.forward(
      context.pool.tensor([3, 8], Array(x.values.prefix(24))), Packing(lengths: [3]), context)
    for (a, b) in zip(together.values, alone.values) { #expect(abs(a - b) < 1e-5) }
  }

  @Test mutating func inferenceInSteadyStateTakesNoMemory() {
    let transformer = Transformer("t", Self.shape(.pre, causal: true), &random)
    let context = Context(training: false)
    let check = GradientCheck()
    func run(_ lengths: [Int]) {
      let packing = Packing(lengths: lengths)
      let x = check.context.pool.zeros([packing.rows, 8])
      _ = transformer.forward(context.pool.copy(x), packing, context)
    }
    run([40, 50])
    run([70, 77])
    let allocated = context.pool.allocated
    for length in 40...77 { run([length, 117 - length]) }
    #expect(context.pool.allocated == allocated)
  }

  @Test mutating func patchEmbedding() {
    var check = GradientCheck()
    let layer = PatchEmbedding("p", side: 6, patch: 3, width: 4, &random)
    let x = check.randomTensor([2, 6, 6, 3], &random)
    let y = layer.forward(x, check.context)
    #expect(y.shape == [10, 4] && layer.rows == 5)
    let direction = check.randomTensor(y.shape, &random)
    layer.backward(direction, check.context)
    #expect(check.context.isSettled)
    let still = Context(training: false)
    check.compare(
      layer.parameters.map {
        (
          name: $0.name, value: $0.value,
          gradient: Array(UnsafeBufferPointer(start: $0.gradient, count: $0.count))
        )
      }
    ) {
      let y = layer.forward(x, still)
      return (0..<y.count).reduce(0) { $0 + Double(y.data[$1]) * Double(direction.data[$1]) }
    }
  }
}
