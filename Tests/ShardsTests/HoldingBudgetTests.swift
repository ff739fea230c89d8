import Dispatch
import Foundation
import Synchronization
import Testing

@testable import Shards

/// What the readers of a process hold of large samples together.
@Suite struct HoldingBudgetTests {
  private static let mebibyte = 1 << 20

  private var limits: ReadLimits {
    var limits = ReadLimits()
    limits.maxSampleBytes = 4 * Self.mebibyte
    return limits
  }

  /// A member of so many bytes.
  private func member(_ name: String, _ count: Int) -> Member {
    Member(name: Array(name.utf8), bytes: [UInt8](repeating: 1, count: count))
  }

  /// Grows holds step by step on several threads at a time, each to `limit` at most.
  /// - Returns: the most bytes that were held at a time, and how many holds came to their end.
  private func grow(_ steps: [[Int]], limit: Int, of bytes: Int) -> (most: Int, done: Int) {
    let budget = HoldingBudget(bytes: bytes)
    let usage = Mutex((now: 0, most: 0, done: 0))
    // More threads than cores: a machine of two would never hold more than two.
    let (threads, group) = (16, DispatchGroup())
    for thread in 0..<threads {
      group.enter()
      Thread.detachNewThread {
        for index in stride(from: thread, to: steps.count, by: threads) {
          let hold = HoldingBudget.Hold(budget)
          var held = 0
          for step in steps[index] {
            hold.grow(to: held + step, of: limit)
            held += step
            usage.withLock {
              $0.now += step
              $0.most = max($0.most, $0.now)
            }
            sched_yield()
          }
          usage.withLock {
            $0.now -= held
            $0.done += 1
          }
          withExtendedLifetime(hold) {}
        }
        group.leave()
      }
    }
    group.wait()
    return usage.withLock { ($0.most, $0.done) }
  }

  @Test func allComeToAnEndHoweverTheyGrow() {
    let steps = (0..<300).map { i in (0..<10).map { 1 + (i * 7 + $0 * 3) % 10 } }
    let (most, done) = grow(steps, limit: 100, of: 150)
    #expect(done == 300)
    #expect(most <= 150)
  }

  @Test func oneSampleMayHaveMoreThanTheBudget() {
    let (most, done) = grow(.init(repeating: [40, 40, 40], count: 100), limit: 120, of: 50)
    #expect(done == 100)
    // And others a third of the budget beside it.
    #expect(most <= 120 + 50 / 3)
  }

  @Test func aReaderWaitsUntilOthersLetGo() throws {
    let scratch = try Scratch()
    let large = 3 * Self.mebibyte
    let path = try writeShard(
      [member("0.png", large), member("1.png", large), member("2.png", 1)],
      to: scratch.file("a.tar"))
    let limits = self.limits
    let budget = HoldingBudget(bytes: 4 * Self.mebibyte)
    let first = ShardReader(path: path, limits: limits, budget: budget)
    var held = first.next()
    #expect(held != nil)

    let isHeld = Mutex(true)
    let isOver = DispatchSemaphore(value: 0)
    let keys = Mutex<[[UInt8]]>([])
    let wasHeld = Mutex<[Bool]>([])
    Thread.detachNewThread {
      let second = ShardReader(path: path, limits: limits, budget: budget)
      while case .sample(let sample)? = second.next() {
        let wasStillHeld = isHeld.withLock { $0 }
        keys.withLock { $0.append(sample.key) }
        wasHeld.withLock { $0.append(wasStillHeld) }
      }
      isOver.signal()
    }
    usleep(100_000)
    isHeld.withLock { $0 = false }
    held = nil
    #expect(isOver.wait(timeout: .now() + 60) == .success)
    #expect(keys.withLock { $0 } == ["0", "1", "2"].map { Array($0.utf8) })
    #expect(wasHeld.withLock { $0 } == [false, false, false])
  }

  @Test func whatIsPassedOnOrSkippedIsNotHeld() throws {
    let scratch = try Scratch()
    let large = 3 * Self.mebibyte
    let path = try writeShard(
      [
        member("0.png", large), member("0.txt", large), member("1.png", large), member("1.txt", 1),
      ], to: scratch.file("a.tar"))
    let budget = HoldingBudget(bytes: 1)
    let reader = ShardReader(path: path, limits: limits, budget: budget)
    guard case .oversized? = reader.next() else {
      Issue.record("6 MiB are more than the limit")
      return
    }
    guard case .sample? = reader.next() else {
      Issue.record("the sample behind it is whole")
      return
    }
    #expect(reader.next() == nil)
    #expect(reader.fault == nil)
  }
}
