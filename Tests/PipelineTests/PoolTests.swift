import Layers
import Synchronization
import Testing

@testable import Pipeline

@Suite struct PoolTests {
  @Test func aValueIsWithOneThreadAtATimeAndKeepsWhatThatDidToIt() throws {
    let pool = Pool([0, 0])
    let inside = Mutex((now: 0, most: 0))
    _ = try parallelMap(400, workers: 5) { _ in
      pool.with { value in
        inside.withLock {
          $0.now += 1
          $0.most = max($0.most, $0.now)
        }
        value += 1
        inside.withLock { $0.now -= 1 }
      }
    }
    #expect(inside.withLock { $0.most } <= 2)
    // One inside the other, so that both are seen.
    let sum = pool.with { first in pool.with { second in first + second } }
    #expect(sum == 400)
  }

  @Test func aValueComesBackFromABodyThatThrows() {
    struct Failure: Error {}
    let pool = Pool([1])
    #expect(throws: Failure.self) {
      try pool.with { value in
        value = 2
        throw Failure()
      }
    }
    #expect(pool.with { $0 } == 2)
  }
}
