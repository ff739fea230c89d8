import Foundation
import Layers
import Synchronization
import TensorFiles

/// A pass over an increment's shards that a resumed run goes on with. Every half minute and at its end, what it has made of
/// the shards that it is through with is kept, together with which these are.
final class ShardPass: Sendable {
  /// The shards that a pass is through with, by their place in the increment.
  struct Done: Sendable {
    var shards: Set<Int> = []
    /// Why some of them couldn't be read to their end.
    var faults: [Int: String] = [:]
  }

  private struct State: Sendable {
    var done: Done
    var kept = ContinuousClock.now
  }

  private let state: Mutex<State>
  private let interval: Duration
  private let keep: @Sendable (Done) throws -> Void

  /// - Parameters:
  ///   - done: what an earlier process kept.
  ///   - interval: between two times that it is kept.
  ///   - keep: keeps what was made of these shards; it may hold a part of others too. Called by one thread at a time.
  init(_ done: Done, interval: Duration, keep: @escaping @Sendable (Done) throws -> Void) {
    state = Mutex(State(done: done))
    self.interval = interval
    self.keep = keep
  }

  /// Goes through the shards that are left of `count`.
  ///
  /// - Parameter body: looks through a shard and returns why it couldn't be read to its end, if it couldn't.
  /// - Returns: what came of all shards, with those of earlier processes.
  func run(
    _ count: Int, workers: Int, _ progress: ProgressCounter,
    _ body: @escaping @Sendable (Int) throws -> String?
  ) throws -> Done {
    let earlier = state.withLock { $0.done.shards }
    let rest = (0..<count).filter { !earlier.contains($0) }
    progress.add(done: count - rest.count)
    _ = try parallelMap(rest.count, workers: workers) { i in
      try self.end(rest[i], fault: try body(rest[i]))
      progress.add(done: 1)
    }
    let done = state.withLock { $0.done }
    if !rest.isEmpty { try keep(done) }
    return done
  }

  private func end(_ shard: Int, fault: String?) throws {
    try state.withLock { state in
      state.done.shards.insert(shard)
      state.done.faults[shard] = fault
      guard state.kept.duration(to: .now) >= interval else { return }
      try keep(state.done)
      state.kept = .now
    }
  }
}

extension ShardPass.Done {
  init(_ columns: NPZColumns) throws(RunError) {
    shards = Set(try columns.integers("shard").map { Int($0) })
    faults = Dictionary(
      zip(try columns.integers("fault_shard").map { Int($0) }, try columns.text("fault"))
    ) { $1 }
  }

  var columns: [(name: String, array: NPYArray)] {
    let faults = faults.sorted { $0.key < $1.key }
    return [
      ("shard", .int64(shards.sorted().map(Int64.init), shape: [shards.count])),
      ("fault_shard", .int64(faults.map { Int64($0.key) }, shape: [faults.count])),
      ("fault", .bytes(ByteStrings(faults.lazy.map(\.value.utf8)))),
    ]
  }
}
