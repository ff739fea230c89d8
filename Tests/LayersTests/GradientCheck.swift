import Layers
import Testing

/// Compares `backward` with central differences: the loss is the dot product of the output with a fixed random
/// direction, and a sample of the coordinates of every input and parameter is nudged.
struct GradientCheck {
  var context = Context(training: true)
  var random = SeededRandom(seed: 7)
  var step: Float = 1e-2

  func randomTensor(_ shape: [Int], _ random: inout SeededRandom, scale: Float = 1) -> Tensor {
    let tensor = context.pool.tensor(shape)
    for i in 0..<tensor.count { tensor.data[i] = random.normal() * scale }
    return tensor
  }

  /// - Parameters:
  ///   - value: the loss, computed afresh from the current content of the inputs and parameters.
  ///   - analytic: pairs of an array to nudge and its gradient from `backward`.
  mutating func compare(
    _ analytic: [(name: String, value: UnsafeMutablePointer<Float>, gradient: [Float])],
    loss: () -> Double, tolerance: Double = 2e-2
  ) {
    for (name, value, gradient) in analytic {
      let size = gradient.map { abs(Double($0)) }.max() ?? 0
      #expect(size > 0, "\(name): the gradient is zero everywhere")
      let picks =
        gradient.count <= 24
        ? Array(gradient.indices)
        : (0..<24).map { _ in
          random.below(gradient.count)
        }
      for i in picks {
        let original = value[i]
        value[i] = original + step
        let above = loss()
        value[i] = original - step
        let below = loss()
        value[i] = original
        let numeric = (above - below) / Double(2 * step)
        let difference = abs(numeric - Double(gradient[i]))
        #expect(
          difference <= tolerance * max(size, abs(numeric)),
          "\(name)[\(i)]: backward gives \(gradient[i]), differences give \(numeric)")
      }
    }
  }

  /// Checks a layer's input gradient and those of all its parameters.
  mutating func check(
    _ layer: any Layer, input shape: [Int], tolerance: Double = 2e-2, inputGradient: Bool = true
  ) {
    // Gains start at 1 and biases at 0: random values check more.
    for parameter in layer.parameters where !parameter.decays {
      for i in 0..<parameter.count { parameter.value[i] += 0.3 * random.normal() }
    }
    let x = randomTensor(shape, &random)
    let y = layer.forward(x, context)
    let direction = randomTensor(y.shape, &random)
    let dx = layer.backward(direction, context)
    #expect(context.isSettled)
    let still = Context(training: false)
    func loss() -> Double {
      let y = layer.forward(x, still)
      return (0..<y.count).reduce(0) { $0 + Double(y.data[$1]) * Double(direction.data[$1]) }
    }
    var arrays = layer.parameters.map {
      ($0.name, $0.value, Array(UnsafeBufferPointer(start: $0.gradient, count: $0.count)))
    }
    if inputGradient { arrays.append(("input", x.data, dx.values)) }
    compare(
      arrays.map { (name: $0.0, value: $0.1, gradient: $0.2) }, loss: loss, tolerance: tolerance)
  }
}
