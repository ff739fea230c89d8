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
    path: String, compression: ShardCompression,
    written: (@Sendable (UnsafeRawBufferPointer) -> Void)? = nil, stackBytes: Int = 8 << 20
  ) throws(ShardError) {
    let file = try ShardFile(path: path, compression: compression, written: written)
    let queue = Queue(file, path: path)
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

/// Blocks on their way from the thread that hands them over to the one that writes: a ring of them in one piece of memory,
/// so that what a shard takes doesn't depend on which of the two is ahead.
private final class Queue: @unchecked Sendable {
  /// Blocks that wait or are being written at most. Together they are more than a megabyte, which malloc gives back to the
  /// system (see `Allocator`).
  private static let depth = 12

  struct State {
    var failure: ShardError?
    var bytesWritten = 0
  }

  private let path: String
  /// Its thread's alone, until `hasEnded`.
  private let file: ShardFile
  /// Block `i` is the writing thread's alone while it is among the waiting ones, else the other's.
  private let blocks: UnsafeMutableRawBufferPointer
  private let condition = NSCondition()
  // All below is guarded by the condition.
  private var known = State()
  /// Bytes in each block.
  private var sizes = [Int](repeating: 0, count: depth)
  /// The block that was handed over first, and how many wait from it on.
  private var first = 0
  private var waiting = 0
  private var isClosed = false
  private var hasEnded = false

  init(_ file: ShardFile, path: String) {
    self.file = file
    self.path = path
    blocks = .allocate(
      byteCount: Self.depth * TarWriteHandle.blockBytes, alignment: blockAlignment)
  }

  deinit { blocks.deallocate() }

  var state: State { condition.withLock { known } }

  func put(_ bytes: UnsafeRawBufferPointer) -> Bool {
    for start in stride(from: 0, to: bytes.count, by: TarWriteHandle.blockBytes) {
      let piece = bytes[start..<min(start + TarWriteHandle.blockBytes, bytes.count)]
      let free = condition.withLock { () -> Int? in
        while waiting == Self.depth, known.failure == nil { condition.wait() }
        return known.failure == nil ? (first + waiting) % Self.depth : nil
      }
      guard let free else { return false }
      block(free).copyMemory(from: UnsafeRawBufferPointer(rebasing: piece))
      condition.withLock {
        sizes[free] = piece.count
        waiting += 1
        condition.broadcast()
      }
    }
    return true
  }

  private func block(_ i: Int) -> UnsafeMutableRawBufferPointer {
    let size = TarWriteHandle.blockBytes
    return UnsafeMutableRawBufferPointer(rebasing: blocks[(i * size)..<((i + 1) * size)])
  }

  func fail(_ reason: String) {
    condition.withLock { note(.cannotWrite(path: path, reason: reason)) }
  }

  /// Only under the lock.
  private func note(_ failure: ShardError?) {
    guard known.failure == nil, let failure else { return }
    known.failure = failure
    condition.broadcast()
  }

  /// The thread's body: returns once the queue is closed and empty.
  func writeAll() {
    while let (i, size, isOfUse) = next() {
      if isOfUse { _ = file.write(UnsafeRawBufferPointer(rebasing: block(i)[..<size])) }
      condition.withLock {
        known.bytesWritten = file.bytesWritten
        note(file.failure)
        first = (first + 1) % Self.depth
        waiting -= 1
        condition.broadcast()
      }
    }
  }

  /// The next block and its size, and whether it is to be written: after an error what waits is of no use.
  private func next() -> (block: Int, size: Int, isOfUse: Bool)? {
    condition.withLock {
      while waiting == 0, !isClosed { condition.wait() }
      if waiting == 0 {
        hasEnded = true
        condition.broadcast()
        return nil
      }
      return (first, sizes[first], known.failure == nil)
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
