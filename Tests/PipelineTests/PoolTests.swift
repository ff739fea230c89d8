import Layers
import Synchronization
import Testing

@testable import Pipeline

@Suite struct PoolTests {
  @Test func aValueIsWithOneThreadAtATimeAndKeepsWhatThatDidToIt() throws {
    let pool = Pool([0, 0])
    let seen = Mutex((now: 0, most: 0))
    _ = try parallelMap(400, workers: 5) { i in
      try pool.with(turn: i) { value in
        seen.withLock {
          $0.now += 1
          $0.most = max($0.most, $0.now)
        }
        value += 1
        seen.withLock { $0.now -= 1 }
      }
    }
    #expect(seen.withLock { $0.most } <= 2)
    // One inside the other, so that both are seen.
    let sum = try pool.with(turn: 400) { first in
      try pool.with(turn: 401) { second in first + second }
    }
    #expect(sum == 400)
  }

  @Test func turnsComeInTheirOrder() throws {
    let pool = Pool([[Int]()])
    _ = try parallelMap(200, workers: 4) { i in try pool.with(turn: i) { $0.append(i) } }
    #expect(try pool.with(turn: 200) { $0 } == Array(0..<200))
  }

  struct Failure: Error {}

  @Test func aValueComesBackFromABodyThatThrows() throws {
    let pool = Pool([1])
    #expect(throws: Failure.self) {
      try pool.with(turn: 0) { value in
        value = 2
        throw Failure()
      }
    }
    #expect(try pool.with(turn: 1) { $0 } == 2)
  }

  @Test func whoWaitsForAPoolThatIsClosedGetsTheError() throws {
    let pool = Pool([1])
    #expect(throws: Failure.self) {
      try parallelMap(2, workers: 2) { i in
        if i == 0 {
          // The other one can't have its turn before this one had it.
          pool.close(Failure())
        } else {
          try pool.with(turn: 1) { _ in }
        }
      }
    }
    #expect(throws: Failure.self) { try pool.with(turn: 0) { $0 } }
  }
}
