import Foundation
import Shards
import Testing

@testable import Pipeline

/// Restores that were killed, and what somebody did to the folder since.
@Suite struct StoppedRestoreTests {
  /// A corpus that was cleaned once.
  private func shop() throws -> Workshop {
    let shop = try Workshop(pairs: 120, shards: 60)
    try shop.writeJudges()
    try expectDone(shop)
    return shop
  }

  private func night(_ shop: Workshop) throws -> Workshop.Outcome {
    try shop.clean(out: "out", "--ensemble", "judges", "--keep-fraction", "0.7")
  }

  private func restore(_ key: String, _ shop: Workshop) throws -> Workshop.Outcome {
    try shop.winnow("restore", key, "--out", "out")
  }

  private func expectDone(_ shop: Workshop) throws {
    let outcome = try night(shop)
    #expect(outcome.status == 0, "\(outcome.errors)")
  }

  private func expectRefused(_ outcome: Workshop.Outcome, _ reasons: String...) {
    #expect(outcome.status == 1, "\(outcome.errors)")
    for reason in reasons { #expect(outcome.errors.contains(reason), "\(outcome.errors)") }
  }

  private func expectNoGap(_ shop: Workshop) throws {
    let files = try shop.manifest().clean.map(\.file)
    #expect(files == files.indices.map { RunDirectory.padded($0) + ".tar.zst" })
    #expect(files.allSatisfy { shop.exists("out/clean/\($0)") })
  }

  private func rejected(_ shop: Workshop) throws -> [String] {
    try shop.samples("out/rejected").map { String(decoding: $0.key, as: UTF8.self) }
  }

  private func restored(_ shop: Workshop) throws -> [String] {
    try shop.manifest().restored.map(\.key)
  }

  /// Leaves a restore as a kill leaves it: pinned, nothing written.
  private func pin(_ key: String, _ shop: Workshop) throws {
    let run = try shop.context { _ in }
    try run.directory.prepare()
    var result = RestoreResult()
    let order = try Restoring([Array(key.utf8)], try shop.manifest(), &result, in: run)
    try run.publishing.publish(json: order, to: run.directory.restoring)
  }

  @Test func aManifestFromBeforeARestoreIsRefusedUntilItIsDeleted() throws {
    let shop = try shop()
    let manifest = URL(fileURLWithPath: "\(shop.root)/out/manifest.json")
    let keys = try rejected(shop)
    let first = try Data(contentsOf: manifest)
    #expect(try restore(keys[2], shop).status == 0)
    let second = try Data(contentsOf: manifest)
    try shop.add(120..<150, "a")
    try expectDone(shop)
    let third = try Data(contentsOf: manifest)
    #expect(try restore(keys[0], shop).status == 0)
    let before = try shop.tree("out")

    // Whose shards would get the numbers of those that it doesn't know.
    try shop.add(150..<180, "b")
    let reason = "out/manifest.json: it is older than pairs that `winnow restore` put back"
    try first.write(to: manifest)
    expectRefused(try night(shop), reason, "delete it")
    try third.write(to: manifest)
    expectRefused(try night(shop), reason, "delete it")
    expectRefused(try restore(keys[1], shop), reason, "delete it")
    #expect(differences(before, try shop.tree("out")) == ["manifest.json"])

    try FileManager.default.removeItem(at: manifest)
    try expectDone(shop)
    let after = try shop.tree("out")
    let rewritten = differences(before, after).filter { before[$0] != nil }
    #expect(!rewritten.contains { $0.contains(".tar") }, "\(rewritten)")
    #expect(try restored(shop) == [keys[2], keys[0]])
    #expect(try shop.manifest().increments.map(\.pairs) == [120, 30, 30])
    try expectNoGap(shop)

    // One that lacks nights is brought up to them, and what is pinned to come after them waits for that.
    let state = "\(shop.root)/out/.winnow"
    #expect(rename("\(state)/restored/000001.json", "\(state)/restoring.json") == 0)
    try second.write(to: manifest)
    try expectDone(shop)
    #expect(differences(after, try shop.tree("out")) == [])
  }

  /// It came back in the middle of a night that went on to what was new, and the next restore is pinned in its place.
  @Test func whatCameBackWithAManifestThatIsMadeAgainIsNotForgotten() throws {
    let shop = try shop()
    let manifest = "\(shop.root)/out/manifest.json"
    let keys = try rejected(shop)
    try pin(keys[0], shop)
    try FileManager.default.removeItem(atPath: manifest)
    try shop.add(120..<150, "a")
    try expectDone(shop)
    #expect(try restored(shop) == [keys[0]])
    #expect(try restore(keys[1], shop).status == 0)
    let before = try shop.tree("out")
    try FileManager.default.removeItem(atPath: manifest)
    try expectDone(shop)
    #expect(differences(before, try shop.tree("out")) == [])
    try expectNoGap(shop)
  }

  @Test func whatCannotBeWrittenWaitsAndWhatIsGoneIsGivenUp() throws {
    let shop = try shop()
    let keys = try rejected(shop)
    let before = try shop.tree("out")
    let shard = URL(fileURLWithPath: "\(shop.root)/out/rejected/000000.tar.zst")
    let whole = try Data(contentsOf: shard)
    func damage() throws {
      // As large as it was, so that nothing else tells of it.
      try (Data(count: 4) + whole.dropFirst(4)).write(to: shard)
      expectRefused(
        try night(shop), "out/.winnow/restoring.json: the pairs that `winnow restore` was asked",
        "out/rejected/000000.tar.zst", "delete this file to give them up")
      #expect(try restored(shop) == [])
    }
    try pin(keys[1], shop)
    try damage()
    #expect(unlink("\(shop.root)/out/.winnow/restoring.json") == 0)
    try expectDone(shop)
    #expect(differences(before, try shop.tree("out")) == ["rejected/000000.tar.zst"])

    try whole.write(to: shard)
    try pin(keys[1], shop)
    try damage()
    try whole.write(to: shard)
    try expectDone(shop)
    #expect(try restored(shop) == [keys[1]])

    try pin(keys[0], shop)
    try FileManager.default.removeItem(atPath: "\(shop.root)/out/rejected")
    try shop.add(120..<160, "a")
    let late = try night(shop)
    #expect(late.status == 0, "\(late.errors)")
    let note = "1 pair that `winnow restore` was asked for can't be put back: rejected/000000"
    #expect(late.errors.contains(note), "\(late.errors)")
    #expect(!shop.exists("out/.winnow/restoring.json"))
    try expectNoGap(shop)
    let new = try #require(try rejected(shop).first)
    let other = try restore(new, shop)
    #expect(other.status == 0, "\(other.errors)")
    #expect(try restored(shop) == [keys[1], new])
    try expectNoGap(shop)
    try expectDone(shop)
  }

  @Test func aRestoreTellsWhatItFinishedAndWhatIsDamagedAndIsNoNight() throws {
    let shop = try shop()
    let keys = try rejected(shop)
    let next = try shop.manifest().clean.count
    let metrics = "\(shop.root)/r.prom"
    // As if the last night had been long ago.
    let early = "winnow_last_success_timestamp_seconds{out=\"out\"} 5\n"
    try early.write(toFile: metrics, atomically: true, encoding: .utf8)
    func restore(_ key: String) throws -> Workshop.Outcome {
      try shop.winnow("restore", key, "--out", "out", "--metrics", "r.prom")
    }
    func expectMetrics(status: Int) throws {
      let figures = try String(contentsOfFile: metrics, encoding: .utf8)
      #expect(figures.contains("winnow_last_run_exit_status{out=\"out\"} \(status)\n"))
      #expect(figures.contains(early), "\(figures)")
    }
    try pin(keys[0], shop)
    let whole = try restore(keys[1])
    #expect(whole.status == 0, "\(whole.errors)")
    let paths = (next..<next + 3).map { "out/clean/\(RunDirectory.padded($0)).tar.zst" }
    #expect(whole.lines == Array(paths[..<2]))
    try expectMetrics(status: 0)

    try FileManager.default.removeItem(atPath: "\(shop.root)/out/clean/000000.tar.zst")
    let damaged = try restore(keys[2])
    #expect(damaged.status == 3, "\(damaged.errors)")
    #expect(damaged.errors.contains("out/clean/000000.tar.zst is gone"), "\(damaged.errors)")
    #expect(damaged.lines == [paths[2]])
    #expect(try restored(shop) == Array(keys[..<3]))
    try expectMetrics(status: 3)
  }

  /// A run ends a rejected shard between such two, or renames one; those of many shards follow each other all the same.
  @Test func ofAdjacentPairsWithOneKeyNoMoreComeBackThanARunLetsThrough() throws {
    let shop = try shop()
    let members = (0..<1200).flatMap { i in
      [
        Member(name: Array("k.txt".utf8), bytes: Array("a cat, number \(i)".utf8)),
        Member(name: Array("k.winnow.json".utf8), bytes: Array("{}".utf8)),
      ]
    }
    try TinyCorpus.write(members, to: "\(shop.root)/out/rejected/000000.tar.zst")
    let run = try shop.context { _ in }
    var result = RestoreResult()
    let order = try Restoring([Array("k".utf8)], try shop.manifest(), &result, in: run)
    #expect(order.items.map(\.pair.ordinal) == Array(0...DecideStage.maxRepeats))
    #expect(Set(order.items.map(\.pair.clean)).count == 1001)
    #expect(result.problems.count == 1)
    let problem = result.problems.first ?? ""
    #expect(problem.hasPrefix("more than 1000 pairs have the key of the one before them; 199 "))
  }
}
