import Allocations
import Foundation
import TensorFiles

/// One thing that is timed. The driver (Tests/Peers/bench.py) takes turns between it and the peer.
protocol Benchmark: AnyObject {
  /// What `run` works through: images, captions, pairs.
  var items: Int { get }
  /// Floating-point operations of a `run`, as the formulas count them (a product and a sum are two); nil where that
  /// says nothing.
  var operations: Double? { get }
  /// Weights and inputs, which the peer takes too.
  func exports() throws -> [NamedTensor]
  /// What is timed.
  func run() throws
  /// What the last `run` gave, for the comparison with the peer.
  var output: [NamedTensor] { get }
}

extension Benchmark {
  var operations: Double? { nil }
  var output: [NamedTensor] { [] }
}

/// Both sides have two threads.
let threads = 2

/// What the driver is told of a run.
struct Report: Encodable {
  var seconds: Double
  /// Of all threads together.
  var cpuSeconds: Double
  var items: Int
  var operations: Double?
  /// Calls of malloc in the run: all, and those for buffers.
  var allocations: Int
  var buffers: Int
  /// Of the process during the run, MiB.
  var peakMemory: Int

  static func of(_ benchmark: any Benchmark) throws -> Report {
    let (calls, buffers) = (allocations_count(), allocations_of_buffers())
    forget_peak_resident()
    let cpu = cpu_seconds()
    let time = try ContinuousClock().measure { try benchmark.run() }
    return Report(
      seconds: time / .seconds(1), cpuSeconds: cpu_seconds() - cpu, items: benchmark.items,
      operations: benchmark.operations,
      allocations: Int(allocations_count() - calls),
      buffers: Int(allocations_of_buffers() - buffers),
      peakMemory: Int(peak_resident_kib() / 1024))
  }
}

/// Hands something to other threads of which each touches a part of its own.
struct Shared<Value>: @unchecked Sendable {
  // Unchecked: parallelMap gives each unit, and so each part, to one thread, and its end is a barrier.
  let value: Value
}
