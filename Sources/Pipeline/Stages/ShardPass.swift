import Layers
import Synchronization
import TensorFiles

/// A pass over an increment's shards that a resumed run goes on with: every so often, at its end and when it is stopped,
/// what it has made of the shards is kept in a file, together with which of them it is through with.
final class ShardPass: Sendable {
  private struct State: Sendable {
    var isDone: [Bool]
    /// Why some shards couldn't be read to their end.
    var faults: [Int: String] = [:]
    var isKeeping = false
    var lastKept = ContinuousClock.now
  }

  private let state: Mutex<State>
  private let file: String
  private let interval: Duration
  private let run: RunContext
  private let columns: @Sendable () throws -> [(name: String, array: NPYArray)]

  /// - Parameters:
  ///   - earlier: what is in the file; nil where there is none.
  ///   - interval: between two times that it is kept.
  ///   - columns: what is kept of the shards so far, and perhaps of parts of others; called by one thread at a time.
  init(
    of count: Int, keptIn file: String, after earlier: NPZColumns?, interval: Duration,
    in run: RunContext, columns: @escaping @Sendable () throws -> [(name: String, array: NPYArray)]
  ) throws(RunError) {
    var state = State(isDone: [Bool](repeating: false, count: count))
    if let earlier {
      let isDone = try earlier.flags("done")
      let faulty = try earlier.integers("fault_shard").map { Int($0) }
      guard isDone.count == count, faulty.allSatisfy(isDone.indices.contains) else {
        throw .damagedState(file: file, detail: "it isn't of these shards")
      }
      state.isDone = isDone
      for (shard, fault) in zip(faulty, try earlier.text("fault")) { state.faults[shard] = fault }
    }
    self.state = Mutex(state)
    self.file = file
    self.interval = interval
    self.run = run
    self.columns = columns
  }

  /// Goes through the shards that are left.
  ///
  /// - Parameter body: looks through a shard and returns why it couldn't be read to its end, if it couldn't.
  /// - Returns: these reasons by shard, with those of earlier processes.
  func go(
    _ progress: ProgressCounter, _ body: @escaping @Sendable (Int) throws -> String?
  ) throws -> [(shard: Int, fault: String)] {
    let isDone = state.withLock { $0.isDone }
    do {
      _ = try parallelMap(isDone.count, workers: run.workers) { shard in
        if !isDone[shard] { try self.finish(shard, fault: try body(shard)) }
        progress.add(done: 1)
      }
    } catch {
      if run.cancellation.isCancelled { try? keep() }
      throw error
    }
    if isDone.contains(false) { try keep() }
    return state.withLock { $0.faults }.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  private func finish(_ shard: Int, fault: String?) throws {
    let isDue = state.withLock { state in
      state.isDone[shard] = true
      state.faults[shard] = fault
      guard !state.isKeeping, state.lastKept.duration(to: .now) >= interval else { return false }
      state.isKeeping = true
      return true
    }
    guard isDue else { return }
    try keep()
    state.withLock { state in
      state.isKeeping = false
      state.lastKept = .now
    }
  }

  /// Others go on meanwhile: what they add to `columns` by then is more than what these shards hold.
  private func keep() throws {
    let (isDone, faults) = state.withLock { ($0.isDone, $0.faults.sorted { $0.key < $1.key }) }
    let own: [(name: String, array: NPYArray)] = [
      NPZColumns.formatVersion,
      ("done", .bool(isDone)),
      ("fault_shard", .int64(faults.map { Int64($0.key) }, shape: [faults.count])),
      ("fault", .bytes(ByteStrings(faults.lazy.map(\.value.utf8)))),
    ]
    let columns = try columns()
    try run.publishing.publish(file) { try NPZ.write(own + columns, to: $0) }
  }
}
