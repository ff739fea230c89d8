import Synchronization
import Testing

@testable import Layers

@Suite struct ParallelWorkTests {
  private struct Failure: Error, Equatable { var unit: Int }

  @Sendable private static func failing() throws -> Int { throw Failure(unit: -1) }

  @Test(arguments: [1, 3, 200]) func resultsComeInOrder(workers: Int) throws {
    #expect(try parallelMap(100, workers: workers) { $0 * $0 } == (0..<100).map { $0 * $0 })
    #expect(try parallelMap(0, workers: workers) { $0 } == [])
  }

  @Test func theLowestUnitsErrorIsThrownAndStopsTheRest() throws {
    let begun = Mutex(0)
    #expect(throws: Failure(unit: 7)) {
      try parallelMap(10_000, workers: 2) { i in
        begun.withLock { $0 += 1 }
        if i >= 7 { throw Failure(unit: i) }
      }
    }
    #expect(begun.withLock { $0 } <= 10)
  }

  /// A stack that no address space has room for is refused as a thread above `ulimit -u` is.
  @Test(arguments: [0, 2]) func whereThreadsAreRefusedTheOthersDoTheWork(allowed: Int) throws {
    var asked = 0
    let start = { (body: @escaping @Sendable () -> Void) -> Bool in
      asked += 1
      return startThread(stackBytes: asked <= allowed ? 16 << 20 : 1 << 60, body)
    }
    let squares = try parallelMap(100, workers: 8, start: start, state: 0) { _, unit in
      unit * unit
    }
    #expect(squares == (0..<100).map { $0 * $0 })
    #expect(asked == allowed + 1)

    asked = 0
    #expect(throws: Failure(unit: 3)) {
      try parallelMap(10, workers: 8, start: start, state: 0) { _, unit in
        guard unit < 3 else { throw Failure(unit: unit) }
        return unit
      }
    }
  }

  @Test func aWorkerKeepsItsStateFromUnitToUnit() throws {
    let seen = try parallelMap(5, workers: 1, state: 0) { state, _ in
      state += 1
      return state
    }
    #expect(seen == [1, 2, 3, 4, 5])
    #expect(throws: Failure(unit: -1)) {
      try parallelMap(5, workers: 2, state: try Self.failing()) { _, i in i }
    }
  }
}
