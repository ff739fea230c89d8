import Foundation
import FuzzTargets
import Synchronization
import Testing

/// Damaged files of every format, the same ones in every run: nothing crashes or hangs, every promise of `FuzzTarget`
/// holds. `WINNOW_MUTATIONS=100000` tries that many of each, a fiftieth of pipeline files (`make fuzz-mutations`).
@Suite struct MutationTests {
  /// By default what takes a second or two. A pipeline file is parsed by a library, at a hundredth of the others' speed.
  private static func count(_ target: String) -> Int {
    let asked = ProcessInfo.processInfo.environment["WINNOW_MUTATIONS"].flatMap(Int.init) ?? 3000
    return target == "pipeline" ? max(200, asked / 50) : asked
  }

  @Test(arguments: FuzzTarget.all.map(\.name)) func damage(breaksNoPromiseOf name: String) throws {
    let target = try #require(FuzzTarget.all.first { $0.name == name })
    let seeds = try target.seeds()
    for seed in seeds { #expect(try target.check(seed).word == "read") }
    let trial = Trial()
    Thread.detachNewThread { trial.run(Self.count(name), of: target, seeds) }
    let outcome = trial.end()
    if let failure = outcome.failure {
      let path = NSTemporaryDirectory() + "winnow-\(name)-\(outcome.number)"
      try Data(outcome.bytes).write(to: URL(fileURLWithPath: path))
      Issue.record("mutation \(outcome.number) of \(name), kept as \(path): \(failure)")
      return
    }
    let words = outcome.words
    print("\(name): \(words.sorted { $0.value > $1.value }.map { "\($0.value) \($0.key)" })")
    // A mutator that always hits the same check would test nothing.
    #expect(words.count > 1 && words["read"] ?? 0 > 0)
  }
}

/// Mutations, checked on a thread of their own: of one that never ends nobody else would be told.
private final class Trial: Sendable {
  /// Seconds that a mutation may take, as libFuzzer has it in `make fuzz`.
  private static let limit = 20

  struct State {
    /// The last mutation that was begun.
    var number = 0
    var bytes: [UInt8] = []
    var words: [String: Int] = [:]
    /// What is wrong with it, if anything.
    var failure: String?
    var isOver = false
  }

  private let state = Mutex(State())

  func run(_ count: Int, of target: FuzzTarget, _ seeds: [[UInt8]]) {
    var mutator = Mutator(seed: 20_26)
    do {
      for number in 0..<count {
        let bytes = mutator.next(of: target, seeds: seeds)
        state.withLock { ($0.number, $0.bytes) = (number, bytes) }
        let word = try target.check(bytes).word
        state.withLock { $0.words[word, default: 0] += 1 }
      }
    } catch {
      let failure = "\(error)"
      state.withLock { $0.failure = failure }
    }
    state.withLock { $0.isOver = true }
  }

  /// Waits for the end, or for a mutation that takes too long. Looks are counted, and not the time: while the machine
  /// stands still, nobody is late.
  func end() -> State {
    var (number, looks) = (0, 0)
    while true {
      var now = state.withLock { $0 }
      if now.isOver { return now }
      (number, looks) = (now.number, now.number == number ? looks + 1 : 0)
      if looks == Self.limit * 100 {
        now.failure = "it takes more than \(Self.limit) s"
        return now
      }
      usleep(10_000)
    }
  }
}
