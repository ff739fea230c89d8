import Foundation
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

  /// By a body that throws, or by hand.
  @Test(arguments: [true, false])
  func whoWaitsForAPoolThatIsClosedGetsTheError(isThrown: Bool) throws {
    let pool = Pool([1])
    let comes = Atomic(false)
    let outcomes = try parallelMap(2, workers: 2) { i -> Bool in
      do {
        if i == 1 {
          comes.store(true, ordering: .relaxed)
          try pool.with(turn: 1) { _ in }
          return false
        }
        // The other one waits by then, most likely.
        while !comes.load(ordering: .relaxed) { usleep(1000) }
        usleep(20_000)
        if isThrown { try pool.with(turn: 0) { _ in throw Failure() } }
        pool.close(Failure())
      } catch {
        return error is Failure
      }
      return true
    }
    #expect(outcomes == [true, true])
    #expect(throws: Failure.self) { try pool.with(turn: 2) { $0 } }
  }
}
