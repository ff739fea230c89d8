import Layers
import Testing

@Suite struct DropoutTests {
  @Test func itsGradientMatchesFiniteDifferences() {
    var check = GradientCheck()
    let layer = Dropout(0.4)
    let x = check.randomTensor([5, 7], &check.random)
    let direction = check.randomTensor([5, 7], &check.random)
    func output() -> Tensor {
      check.context.random = SeededRandom(seed: 3)
      return layer.forward(x, check.context)
    }
    _ = output()
    let dx = layer.backward(direction, check.context)
    #expect(check.context.isSettled)
    check.compare([(name: "input", value: x.data, gradient: dx.values)]) {
      // A context of the loss's own: what is drawn is the same.
      let context = Context(training: true)
      context.random = SeededRandom(seed: 3)
      let y = layer.forward(x, context)
      return (0..<y.count).reduce(0) { $0 + Double(y.data[$1]) * Double(direction.data[$1]) }
    }
  }

  @Test(arguments: [Float(0.25), 0.5, 0.8]) func itDropsTheRateAndKeepsTheMean(rate: Float) {
    let context = Context(training: true)
    let x = context.pool.tensor([99, 101])
    x.fill(1)
    let y = Dropout(rate).forward(x, context).values
    let dropped = Float(y.count { $0 == 0 }) / Float(y.count)
    #expect(abs(dropped - rate) < 0.02)
    #expect(y.allSatisfy { $0 == 0 || abs($0 - 1 / (1 - rate)) < 1e-6 })
    let again = Context(training: true)
    #expect(Dropout(rate).forward(x, again).values == y, "equal seeds, equal draws")
    #expect(Dropout(rate).forward(x, again).values != y, "and new ones the next time")
  }

  @Test func whoeverDoesNotTrainSeesTheIdentity() {
    let context = Context(training: false)
    let x = context.pool.tensor([2, 2], [1, 2, 3, 4])
    #expect(Dropout(0.5).forward(x, context).values == [1, 2, 3, 4])
  }
}
