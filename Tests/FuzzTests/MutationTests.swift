import Foundation
import FuzzTargets
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
    var mutator = Mutator(seed: 20_26)
    var words: [String: Int] = [:]
    for number in 0..<Self.count(name) {
      let bytes = mutator.next(of: target, seeds: seeds)
      do {
        words[try target.check(bytes).word, default: 0] += 1
      } catch {
        let path = NSTemporaryDirectory() + "winnow-\(name)-\(number)"
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        Issue.record("mutation \(number) of \(name), kept as \(path): \(error)")
        return
      }
    }
    print("\(name): \(words.sorted { $0.value > $1.value }.map { "\($0.value) \($0.key)" })")
    // A mutator that always hits the same check would test nothing.
    #expect(words.count > 1 && words["read"] ?? 0 > 0)
  }
}
