import Foundation
import Testing
import VectorMath

@testable import Layers

/// The fast kernels against their plain versions, at sizes that leave every kind of vector tail.
@Suite struct KernelTests {
  private var random = SeededRandom(seed: 11)

  private mutating func floats(_ count: Int, scale: Float = 3) -> [Float] {
    (0..<count).map { _ in random.normal() * scale }
  }

  private func expectClose(
    _ fast: [Float], _ plain: [Float], _ tolerance: Float,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(fast.count == plain.count, sourceLocation: sourceLocation)
    for (i, (a, b)) in zip(fast, plain).enumerated() where abs(a - b) > tolerance * max(1, abs(b)) {
      Issue.record("[\(i)]: fast \(a), plain \(b)", sourceLocation: sourceLocation)
      return
    }
  }

  @Test func theVectorPathIsKnown() {
    let path = String(cString: vm_vector_path())
    #expect(["avx512", "avx2", "baseline"].contains(path))
    #expect(blasCore() != "unknown")
  }

  @Test(arguments: [1, 7, 16, 33, 1000]) mutating func exponential(count: Int) {
    let x = floats(count, scale: 20) + [-200, -87, 0, 87]
    var y = x
    vm_exp(x, &y, x.count)
    expectClose(y.map { $0 / 1e30 }, x.map { Float(exp(Double($0)) / 1e30) }, 1e-6)
    for (value, power) in zip(x, y) where value > -87 {
      #expect(abs(Double(power) / exp(Double(value)) - 1) < 1e-6, "e^\(value)")
    }
    #expect(y[count] == 0)
  }

  @Test(arguments: [1, 5, 17, 64]) mutating func softmaxRows(columns: Int) {
    var x = floats(3 * columns)
    let lengths = [columns, max(1, columns / 2), 1]
    let plain = (0..<3).flatMap {
      Plain.softmax(Array(x[($0 * columns)..<(($0 + 1) * columns)]), length: lengths[$0])
    }
    vm_softmax_rows(&x, 3, columns, lengths.map(Int32.init))
    expectClose(x, plain, 1e-6)
  }

  @Test func exponentialsAreClampedAtBothEnds() {
    let x: [Float] = [-.infinity, -1e30, -87.01, 88, 88.01, 1e30, .infinity]
    var y = x
    vm_exp(x, &y, x.count)
    #expect(y[..<3] == [0, 0, 0])
    #expect(y[3...].allSatisfy { $0 == y[3] && $0.isFinite })
  }

  @Test(arguments: [1, 5, 16, 77]) mutating func sumsAndProducts(columns: Int) {
    let (x, y, bias) = (floats(3 * columns), floats(3 * columns), floats(columns))
    var result = x
    vm_relu(x, &result, x.count)
    expectClose(result, Plain.relu(x), 0)
    result = x
    vm_add_bias(&result, bias, 3, columns)
    expectClose(result, Plain.addBias(x, bias), 0)
    result = bias
    vm_add_column_sums(x, &result, 3, columns)
    expectClose(result, Plain.axpy(1, Plain.columnSums(x, columns: columns), bias), 1e-6)
    result = y
    vm_axpy(-1.7, x, &result, x.count)
    expectClose(result, Plain.axpy(-1.7, x, y), 1e-6)
    result = y
    vm_add(x, &result, x.count)
    expectClose(result, Plain.axpy(1, x, y), 1e-6)
    vm_sum(x, y, &result, x.count)
    expectClose(result, Plain.axpy(1, x, y), 1e-6)
    let size = Plain.dot(x, x).squareRoot() * Plain.dot(y, y).squareRoot()
    #expect(abs(Double(vm_dot(x, y, x.count)) - Plain.dot(x, y)) < 1e-6 * size)
    #expect(abs(vm_sum_of_squares(x, x.count) / Plain.dot(x, x) - 1) < 1e-12)
  }

  @Test(arguments: [1, 8, 19]) mutating func movingAverage(count: Int) {
    let (value, average) = (floats(count), floats(count))
    for keep: Float in [0, 0.1, 0.99, 1] {
      var result = average
      vm_moving_average(value, &result, count, keep)
      expectClose(result, Plain.movingAverage(value, average, keep: keep), 1e-6)
    }
  }

  @Test mutating func quickGELU() {
    let x = floats(77)
    var y = x
    vm_quick_gelu(x, &y, x.count)
    expectClose(y, x.map(Plain.quickGELU), 1e-6)
  }

  @Test mutating func geluAndTheActivationsWithTheirBias() {
    let (x, bias) = (floats(77) + [-20, 20], floats(79))
    var y = x
    vm_gelu(x, &y, x.count)
    expectClose(y, x.map(Plain.gelu), 1e-6)
    let shifted = Plain.addBias(x + x, bias)
    y = x + x
    vm_bias_gelu(&y, bias, 2, 79)
    expectClose(y, shifted.map(Plain.gelu), 1e-6)
    y = x + x
    vm_bias_quick_gelu(&y, bias, 2, 79)
    expectClose(y, shifted.map(Plain.quickGELU), 1e-6)
  }

  @Test(arguments: [3, 16, 130]) mutating func layerNorm(columns: Int) {
    let (x, gain, bias) = (floats(4 * columns), floats(columns), floats(columns))
    var (y, statistics) = (x, [Float](repeating: 0, count: 8))
    vm_layer_norm(x, gain, bias, &y, &statistics, 4, columns, 1e-5)
    let plain = (0..<4).flatMap {
      Plain.norm(
        Array(x[($0 * columns)..<(($0 + 1) * columns)]), gain: gain, bias: bias, epsilon: 1e-5)
    }
    expectClose(y, plain, 1e-5)
  }

  @Test(arguments: [0, VM_RECTIFIED_INPUT, VM_RECTIFIED_OUTPUT])
  mutating func imageNorm(rectified: Int32) {
    let (channels, size) = (6, 5 * 6)
    let (x, gain, bias) = (floats(2 * size), floats(channels), floats(channels))
    var (y, statistics) = (x, [Float](repeating: 0, count: 4))
    vm_image_norm(x, gain, bias, &y, &statistics, 2, 5, channels, 1e-5, rectified)
    let input = rectified == VM_RECTIFIED_INPUT ? Plain.relu(x) : x
    let plain = (0..<2).flatMap {
      Plain.norm(
        Array(input[($0 * size)..<(($0 + 1) * size)]), gain: gain, bias: bias, epsilon: 1e-5)
    }
    expectClose(y, rectified == VM_RECTIFIED_OUTPUT ? Plain.relu(plain) : plain, 1e-5)
  }

  @Test(arguments: [1, 5, 16]) mutating func crop(side: Int) {
    let pixels = (0..<(side * side * 3)).map { _ in UInt8(random.below(256)) }
    let gains: [Float] = [0.5, 1, 2]
    let (left, width) = (0.2 * Float(side), 0.7 * Float(side))
    for mirrored in [false, true] {
      var result = [Float](repeating: 0, count: pixels.count)
      var scratch = [Float](repeating: 0, count: vm_crop_scratch(side))
      vm_crop(pixels, side, left, 0, width, Float(side), mirrored, gains, &result, &scratch)
      let plain = Plain.crop(
        pixels, side: side, left: left, top: 0, width: width, height: Float(side),
        mirrored: mirrored, gains: gains)
      expectClose(result, plain, 1e-3)
    }
  }

  @Test mutating func adamW() {
    var settings = AdamW.Settings()
    settings.clip = .infinity
    let parameter = Parameter("p", [9], decays: true) { Float($0) - 4 }
    let optimiser = AdamW([parameter], steps: 5, settings: settings)
    var (values, m, v) = (
      parameter.values, [Float](repeating: 0, count: 9), [Float](repeating: 0, count: 9)
    )
    for step in 1...5 {
      let gradient = floats(9)
      let rate = optimiser.rate(at: step - 1)
      for i in 0..<9 {
        parameter.gradient[i] = gradient[i]
        (values[i], m[i], v[i]) = Plain.adamW(
          value: values[i], gradient: gradient[i], m: m[i], v: v[i], step: step,
          settings: settings, rate: rate, decay: settings.decay)
      }
      optimiser.update()
    }
    expectClose(parameter.values, values, 1e-5)
  }

  @Test mutating func whatIsAdoptedIsTheAverageOverAllSteps() {
    let settings = AdamW.Settings()
    let parameter = Parameter("p", [7], decays: true) { Float($0) }
    let optimiser = AdamW([parameter], steps: 20, settings: settings)
    var average = parameter.values
    for step in 1...20 {
      parameter.gradient.update(from: floats(7), count: 7)
      optimiser.update()
      let keep = min(settings.averaging, Float(step) / Float(step + 9))
      average = Plain.movingAverage(parameter.values, average, keep: keep)
    }
    let last = parameter.values
    optimiser.adoptAverage()
    expectClose(parameter.values, average, 1e-6)
    #expect(parameter.values != last)
  }

  @Test func gradientsAreClippedToTheirGlobalNorm() {
    var settings = AdamW.Settings()
    settings.beta1 = 0
    settings.decay = 0
    let parameter = Parameter("p", [2], decays: false) { _ in 0 }
    let optimiser = AdamW([parameter], steps: 1, settings: settings)
    parameter.gradient[0] = 300
    parameter.gradient[1] = 0
    optimiser.update()
    #expect(abs(parameter.values[0] + settings.peakRate) < 1e-6, "one step of the peak rate")
    #expect(parameter.gradient[0] == 0, "gradients start the next step at zero")
  }

  @Test func theRateWarmsUpAndFalls() {
    let settings = AdamW.Settings()
    let optimiser = AdamW([], steps: 100, settings: settings)
    #expect(optimiser.rate(at: 0) < optimiser.rate(at: 9))
    #expect(abs(optimiser.rate(at: 10) - settings.peakRate) < 1e-6)
    #expect(abs(optimiser.rate(at: 99) - settings.peakRate * settings.floor) < 2e-5)
  }

  @Test mutating func seededRandomBeginsAsSplitMix64AndItsNormalsAreNormal() {
    var generator = SeededRandom(seed: 42)
    #expect(generator.next() == 0xBDD7_3226_2FEB_6E95)
    let normals = (0..<20000).map { _ in Double(generator.normal()) }
    let mean = normals.reduce(0, +) / 20000
    let variance = normals.reduce(0) { $0 + $1 * $1 } / 20000
    #expect(abs(mean) < 0.03 && abs(variance - 1) < 0.05)
  }

  @Test mutating func weightsAreTheSameWhateverTheOrderInWhichTheyAreFirstUsed() {
    var generator = random
    let drawn = (0..<12).map { _ in generator.normal() }
    let first = Parameter.matrix("a", [2, 3], fanIn: 1, gain: 1, &random)
    let second = Parameter.matrix("b", [6], fanIn: 1, gain: 1, &random)
    #expect(second.values == Array(drawn[6...]))
    #expect(first.values == Array(drawn[..<6]))
    #expect(random.next() == generator.next())
  }

  @Test func weightsThatAreGivenAreNotDrawn() {
    let parameter = Parameter("p", [3], decays: true) { _ in
      Issue.record("drawn")
      return 0
    }
    parameter.values = [1, 2, 3]
    #expect(parameter.values == [1, 2, 3] && parameter.value[2] == 3)
  }
}
