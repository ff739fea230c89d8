import ConfidentLearning
import Foundation
import Layers
import Testing

@testable import Pipeline
@testable import Reports

@Suite struct RunSummaryTests {
  private let directory = RunDirectory("/data/clean")
  /// What a terminal takes for a new line and for an order to wipe one.
  private let forged = "/in/a.tar\nkept 100\r\u{1B}[2K.tar"

  private func result(faults count: Int, isNothingNew: Bool = false) -> RunResult {
    RunResult(
      isNothingNew: isNothingNew,
      faults: (0..<count).map { i in
        (path: "/in/\(i).tar", message: "/in/\(i).tar: it ends inside a member")
      })
  }

  private func lines(_ result: RunResult) -> [String] {
    RunSummary(result, in: directory).text.components(separatedBy: "\n")
  }

  /// What a manifest has of its own.
  private struct Draft: Encodable {
    var formatVersion = StateJSON.formatVersion
    var ledger = Ledger()
    var noise: Manifest.Noise
    var clean: [Manifest.Output] = []
    var rejected: [Manifest.Output] = []
    var increments: [Manifest.IncrementRecord] = []
    var restored: [RestoredPair] = []
    var provenance = Manifest.Provenance(
      winnow: winnowVersion, configuration: Manifest.Settings(), ensembleDigest: "", kinds: [])
    var timings = Manifest.Timings(seconds: [:], total: 1, workers: 1)
  }

  /// Of a run that kept nothing.
  private func manifest() throws -> Manifest {
    var random = SeededRandom(seed: 1)
    var statistics = PairStatistics()
    for i in 0..<2000 {
      let part = i % PairStatistics.partCount
      statistics.add(observed: random.normal() + (i % 5 == 0 ? 0 : 3), part: part)
      statistics.add(randomRepaired: random.normal(), part: part)
      statistics.add(clusterRepaired: random.normal() + 1, part: part)
    }
    let model = try NoiseModel.fit(statistics, repairing: .both, cut: .predictedNeqGiven)
    let draft = try JSONEncoder().encode(Draft(noise: Manifest.Noise(model)))
    return try JSONDecoder().decode(Manifest.self, from: draft)
  }

  @Test(arguments: [(1, 1), (20, 20), (21, 21), (5000, 21)])
  func atMostTwentyFaultsAreListed(count: Int, listed: Int) {
    let result = result(faults: count)
    let expected = (0..<min(count, 20)).map {
      "not read to its end: /in/\($0).tar: it ends inside a member"
    }
    for told in [lines(result), result.troubles(in: directory)] {
      #expect(told.count == listed)
      #expect(Array(told.prefix(20)) == expected)
      #expect((told.last == "... and \(count - 20) more") == (count > 20))
    }
  }

  @Test func atMostTwentyFaultsAreListedBesideTheCounts() throws {
    var result = result(faults: 30)
    result.manifest = try manifest()
    let told = lines(result)
    #expect(told.count { $0.hasPrefix("not read to its end: ") } == 20)
    #expect(told.contains("... and 10 more"))
    #expect(told.contains { $0.hasPrefix("pairs read ") })
  }

  @Test func aNightWithNothingNewCountsTheFaultsOfEarlierOnes() throws {
    let manifest = try manifest()
    for (count, words) in [(1, "1 shard (/in/0.tar)"), (5000, "5000 shards (/in/0.tar, ...)")] {
      var result = result(faults: count, isNothingNew: true)
      result.manifest = manifest
      let told = lines(result)
      #expect(told.count == 2 && told[0].hasPrefix("Nothing new: "), "\(told.prefix(3))")
      #expect(told.last?.contains(words) == true, "\(told.prefix(3))")
      #expect(told.last?.contains("/data/clean/manifest.json") == true)
      #expect(result.troubles(in: directory) == [])
    }
    var none = result(faults: 0, isNothingNew: true)
    none.manifest = manifest
    #expect(lines(none).count == 1)
  }

  /// Neither of a shard nor of what is called after one.
  @Test func aFileNameForgesNoLine() throws {
    func expectHarmless(_ lines: [String], count: Int) {
      #expect(lines.count == count, "\(lines)")
      let isHarmless = lines.allSatisfy { line in
        line.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
      }
      #expect(isHarmless, "\(lines)")
      #expect(lines.contains { $0.contains("/in/a.tar\u{FFFD}kept 100\u{FFFD}\u{FFFD}[2K.tar") })
    }
    // Messages name the shard or don't.
    var result = RunResult(faults: [
      (path: forged, message: "\(forged): it ends inside a member"),
      (path: forged, message: "cannot-open"),
    ])
    expectHarmless(lines(result), count: 2)
    expectHarmless(result.troubles(in: directory), count: 2)

    result.isNothingNew = true
    result.manifest = try manifest()
    expectHarmless(lines(result), count: 2)
    result.damaged = [DamagedFile(file: "decisions/000001\(forged).npz", bytes: 9, found: nil)]
    expectHarmless(result.troubles(in: directory), count: 2)

    result.faults = []
    result.stale = [StaleShard(index: 0, path: forged, change: .gone)]
    expectHarmless(lines(result), count: 3)
  }

  @Test func atMostTwentyStaleShardsAndDamagedFilesAreListed() throws {
    var result = RunResult()
    result.manifest = try manifest()
    result.isNothingNew = true
    result.stale = (0..<23).map { StaleShard(index: $0, path: "/in/\($0).tar", change: .changed) }
    result.damaged = (0..<22).map { DamagedFile(file: "clean/\($0).tar", bytes: 9, found: 8) }
    let told = lines(result)
    #expect(told.count == 23 && told[21] == "... and 3 more", "\(told)")
    let troubles = result.troubles(in: directory)
    #expect(troubles.count == 22 && troubles[20] == "... and 2 more", "\(troubles)")
  }
}
