import Layers
import TensorFiles

/// The library's matrix product at a size that suits it, one on each thread: the peak that the others are held against.
final class ProductBenchmark: Benchmark {
  let items = threads
  private let side = 1024
  /// Long enough to forget what the threads did before.
  private let times = 16
  private let factors: [[Float]]
  private var products: [[Float]]

  init() {
    factors = (0..<threads).map { _ in [Float](repeating: 0.5, count: 1024 * 1024) }
    products = factors
  }

  var operations: Double? { 2 * Double(side * side * side) * Double(threads * times) }

  func exports() -> [NamedTensor] { [] }

  func run() throws {
    let shared = Shared(
      value: products.indices.map { i in
        products[i].withUnsafeMutableBufferPointer { $0.baseAddress }
      })
    _ = try parallelMap(threads, workers: threads) { [factors, side, times] thread in
      guard let product = shared.value[thread] else { return }
      for _ in 0..<times {
        multiply(
          factors[thread], .no, factors[thread], .no, into: product, m: side, n: side, k: side)
      }
    }
  }
}
