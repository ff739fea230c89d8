import Foundation

/// A ``ShardFile`` that is fed from one thread and written by one of its own: compressing takes longer than reading and
/// grouping what is compressed, so a shard is done sooner where the two go on side by side.
///
/// What waits is bounded: who hands over to a slow disk waits for it. The file gets the same calls in the same order as
/// without a thread, so its bytes are the same. An error shows at a later call than the one that caused it, at the latest
/// in ``finish()``.
final class QueuedShardFile {
  private let queue: Queue

  /// - Parameter stackBytes: of the thread's stack.
  init(
    path: String, compression: ShardCompression, stackBytes: Int = 8 << 20
  ) throws(ShardError) {
    let queue = Queue(try ShardFile(path: path, compression: compression), path: path)
    let code = startThread(stackBytes: stackBytes) { queue.writeAll() }
    guard code == 0 else {
      throw .cannotCreate(
        path: path,
        reason:
          "the system refuses a thread (\(systemText(code))): raise `ulimit -u` or the service's TasksMax"
      )
    }
    // Only now, since closing waits for the thread.
    self.queue = queue
  }

  deinit { queue.close() }

  /// The first error known so far.
  var failure: ShardError? { queue.state.failure }
  /// Bytes that reached the file so far.
  var bytesWritten: Int { queue.state.bytesWritten }

  /// Takes a copy of the next bytes of the tar. False after an error, which is then in `failure`.
  func write(_ bytes: UnsafeRawBufferPointer) -> Bool { queue.put(bytes) }

  /// Notes an error of the caller's, unless there was one before.
  func fail(_ reason: String) { queue.fail(reason) }

  /// Waits for what was handed over, ends the zstd frame, syncs and closes the file.
  func finish() throws(ShardError) { try queue.finish() }
}

/// Blocks on their way from the thread that hands them over to the one that writes.
private final class Queue: @unchecked Sendable {
  /// Blocks (of a megabyte, as the tar writer makes them) that wait at most.
  private static let depth = 3

  struct State {
    var failure: ShardError?
    var bytesWritten = 0
  }

  private let path: String
  /// Its thread's alone, until `hasEnded`.
  private let file: ShardFile
  private let condition = NSCondition()
  // All below is guarded by the condition.
  private var known = State()
  private var waiting: [[UInt8]] = []
  /// Written ones, to be filled again.
  private var spare: [[UInt8]] = []
  private var isClosed = false
  private var hasEnded = false

  init(_ file: ShardFile, path: String) {
    self.file = file
    self.path = path
  }

  var state: State { condition.withLock { known } }

  func put(_ bytes: UnsafeRawBufferPointer) -> Bool {
    let block = condition.withLock { () -> [UInt8]? in
      while waiting.count == Self.depth, known.failure == nil { condition.wait() }
      return known.failure == nil ? spare.popLast() ?? [] : nil
    }
    guard var block else { return false }
    block.append(contentsOf: bytes)
    condition.withLock {
      waiting.append(block)
      condition.broadcast()
    }
    return true
  }

  func fail(_ reason: String) {
    condition.withLock { note(.cannotWrite(path: path, reason: reason)) }
  }

  /// Only under the lock. What waits is of no use any more.
  private func note(_ failure: ShardError?) {
    guard known.failure == nil, let failure else { return }
    known.failure = failure
    waiting = []
    condition.broadcast()
  }

  /// The thread's body: returns once the queue is closed and empty.
  func writeAll() {
    while var block = next() {
      _ = block.withUnsafeBytes(file.write)
      block.removeAll(keepingCapacity: true)
      condition.withLock {
        known.bytesWritten = file.bytesWritten
        note(file.failure)
        spare.append(block)
        condition.broadcast()
      }
    }
  }

  private func next() -> [UInt8]? {
    condition.withLock {
      while waiting.isEmpty, !isClosed { condition.wait() }
      if waiting.isEmpty {
        hasEnded = true
        condition.broadcast()
        return nil
      }
      defer { condition.broadcast() }
      return waiting.removeFirst()
    }
  }

  /// Waits until everything handed over is written and the thread is done.
  func close() {
    condition.withLock {
      isClosed = true
      condition.broadcast()
      while !hasEnded { condition.wait() }
    }
  }

  func finish() throws(ShardError) {
    close()
    let failure = state.failure
    if let failure { throw failure }
    do throws(ShardError) {
      try file.finish()
    } catch {
      condition.withLock { note(error) }
      throw error
    }
    condition.withLock { known.bytesWritten = file.bytesWritten }
  }
}
