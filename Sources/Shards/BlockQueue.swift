import Foundation

/// Blocks of bytes on their way from the thread that hands them over to a thread of the queue's own that takes them.
///
/// One thread at a time hands over. What waits is bounded: who hands over to a slow disk waits for it. An error of the
/// taking thread shows at a later call than the one that handed over, at the latest after ``close()``.
final class BlockQueue {
  private let ring: Ring

  /// - Parameters:
  ///   - path: the file that the blocks are of, for errors.
  ///   - depth: how many blocks wait or are being taken at most.
  ///   - blockBytes: of each at most.
  ///   - stackBytes: of the thread's stack.
  ///   - take: called on the queue's thread with each block in turn; after an error with none any more.
  /// - Throws: ``ShardError/cannotCreate(path:reason:)`` where the system refuses a thread or memory.
  init(
    path: String, depth: Int, blockBytes: Int, stackBytes: Int = 8 << 20,
    take: @escaping (UnsafeRawBufferPointer) -> ShardError?
  ) throws(ShardError) {
    guard let ring = Ring(depth, blockBytes: blockBytes, take: take) else {
      throw .cannotCreate(path: path, reason: "the system refuses memory for its blocks")
    }
    let code = startThread(stackBytes: stackBytes) { ring.takeAll() }
    guard code == 0 else {
      throw .cannotCreate(
        path: path,
        reason:
          "the system refuses a thread (\(systemText(code))): raise `ulimit -u` or the service's TasksMax"
      )
    }
    // Only now, since closing waits for the thread.
    self.ring = ring
  }

  deinit { close() }

  /// The first error known so far.
  var failure: ShardError? { ring.failure }

  /// Notes an error of the caller's, unless there was one before: what waits is then of no use.
  func fail(_ failure: ShardError) { ring.fail(failure) }

  /// Hands over a copy of the bytes.
  /// - Returns: as `fill`.
  func put(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var rest = bytes
    while !rest.isEmpty {
      let isTaken = fill { block in
        let count = min(rest.count, block.count)
        block.copyMemory(from: UnsafeRawBufferPointer(rebasing: rest[..<count]))
        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        return count
      }
      guard isTaken else { return false }
    }
    return true
  }

  /// Hands over one block.
  /// - Parameter body: fills it, and returns the number of its bytes; none are nothing to hand over.
  /// - Returns: false once it is closed, and after an error, which is then in `failure`.
  func fill(_ body: (UnsafeMutableRawBufferPointer) -> Int) -> Bool { ring.fill(body) }

  /// Waits until everything handed over is taken and the thread is done. Nothing is taken after it.
  func close() { ring.close() }
}

/// A ring in one piece of memory, so that what a shard takes doesn't depend on which of its threads is ahead. The piece is
/// mapped: malloc might keep it.
private final class Ring: @unchecked Sendable {
  private let depth: Int
  private let blockBytes: Int
  private let take: (UnsafeRawBufferPointer) -> ShardError?
  /// Block `i` is the taking thread's alone while it is among the waiting ones, else the other's.
  private let blocks: UnsafeMutableRawBufferPointer
  private let condition = NSCondition()
  // All below is guarded by the condition.
  private var known: ShardError?
  /// Bytes in each block.
  private var sizes: [Int]
  /// The block that was handed over first, and how many wait from it on.
  private var first = 0
  private var waiting = 0
  private var isClosed = false
  private var hasEnded = false

  /// Nil where the system refuses the memory.
  init?(_ depth: Int, blockBytes: Int, take: @escaping (UnsafeRawBufferPointer) -> ShardError?) {
    (self.depth, self.blockBytes, self.take) = (depth, blockBytes, take)
    sizes = [Int](repeating: 0, count: depth)
    let bytes = depth * blockBytes
    let start = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard start != MAP_FAILED else { return nil }
    blocks = UnsafeMutableRawBufferPointer(start: start, count: bytes)
  }

  deinit { munmap(blocks.baseAddress, blocks.count) }

  var failure: ShardError? { condition.withLock { known } }

  func fail(_ failure: ShardError) { condition.withLock { note(failure) } }

  /// Only under the lock.
  private func note(_ failure: ShardError?) {
    guard known == nil, let failure else { return }
    known = failure
    condition.broadcast()
  }

  func fill(_ body: (UnsafeMutableRawBufferPointer) -> Int) -> Bool {
    let free = condition.withLock { () -> Int? in
      while waiting == depth, known == nil { condition.wait() }
      return known == nil && !isClosed ? (first + waiting) % depth : nil
    }
    guard let free else { return false }
    let size = body(block(free))
    guard size > 0 else { return true }
    condition.withLock {
      sizes[free] = size
      waiting += 1
      condition.broadcast()
    }
    return true
  }

  private func block(_ i: Int) -> UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(rebasing: blocks[(i * blockBytes)..<((i + 1) * blockBytes)])
  }

  /// The thread's body: returns once the queue is closed and empty.
  func takeAll() {
    while let (i, size, isOfUse) = next() {
      let failure = isOfUse ? take(UnsafeRawBufferPointer(rebasing: block(i)[..<size])) : nil
      condition.withLock {
        note(failure)
        first = (first + 1) % depth
        waiting -= 1
        condition.broadcast()
      }
    }
  }

  /// The next block and its size, and whether it is to be taken: after an error what waits is of no use.
  private func next() -> (block: Int, size: Int, isOfUse: Bool)? {
    condition.withLock {
      while waiting == 0, !isClosed { condition.wait() }
      if waiting == 0 {
        hasEnded = true
        condition.broadcast()
        return nil
      }
      return (first, sizes[first], known == nil)
    }
  }

  func close() {
    condition.withLock {
      isClosed = true
      condition.broadcast()
      while !hasEnded { condition.wait() }
    }
  }
}
