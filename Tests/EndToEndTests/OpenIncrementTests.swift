import Foundation
import Testing

@testable import Pipeline

/// An increment that a run was stopped in, and what changed since.
@Suite struct OpenIncrementTests {
  @Test func whatWasScoredByOtherLibrariesIsScoredAgain() throws {
    let shop = try Workshop(pairs: 200)
    try shop.writeJudges()
    #expect(try shop.clean(out: "out", "--ensemble", "judges").status == 0)
    try FileManager.default.copyItem(atPath: "\(shop.root)/out", toPath: "\(shop.root)/whole")
    try shop.add(200..<230, "000004")
    let scored = try shop.winnow("score", "in", "--pipeline", "tiny.yaml", "--out", "out")
    #expect(scored.status == 0, "\(scored.errors)")
    try shop.pinOtherLibrary("out")
    let record = "\(shop.root)/out/.winnow/scores/000004-000004.record.json"
    let before = try FileIdentity(of: record)
    let night = try shop.clean(out: "out")
    #expect(night.status == 0, "\(night.errors)")
    let note = night.errors.split(separator: "\n").first {
      $0.hasPrefix("since the last increment these changed")
    }
    #expect(note?.hasSuffix(": environment.libzstd") == true, "\(night.errors)")
    #expect(try FileIdentity(of: record) != before)
    #expect(try shop.manifest().increments.map(\.pairs) == [200, 30])
    #expect(try shop.clean(out: "whole").status == 0)
    #expect(differences(try shop.tree("whole"), try shop.tree("out")) == [])
    #expect(try shop.clean(out: "out").errors.contains("Nothing new"))
  }

  /// What is told where another libzstd had begun the first night.
  private func expectBegunAnew(_ outcome: Workshop.Outcome) {
    #expect(outcome.status == 0, "\(outcome.errors)")
    let note = outcome.errors.split(separator: "\n").first {
      $0.hasPrefix("since this run was begun these changed")
    }
    #expect(note?.hasSuffix(": environment.libzstd") == true, "\(outcome.errors)")
  }

  @Test(arguments: ["train", "clean"])
  func judgesThatOtherLibrariesBeganToTrainAreBegunAnew(command: String) throws {
    let shop = try Workshop(pairs: 200)
    #expect(try shop.clean(out: "whole").status == 0)
    try shop.stopOnceItTrains {
      try Run.clean(ShardSelection(["\(shop.root)/in"]), in: $0)
    }
    // Whoever goes on with what is kept fails.
    let training = "\(shop.root)/out/.winnow/training"
    let kept = try FileManager.default.subpathsOfDirectory(atPath: training)
      .filter { $0.hasSuffix(".npz") }
    try #require(!kept.isEmpty)
    for file in kept { #expect(truncate("\(training)/\(file)", 10) == 0) }
    try shop.pinOtherLibrary("out")
    expectBegunAnew(try shop.winnow(command, "in", "--pipeline", "tiny.yaml", "--out", "out"))
    #expect(try shop.clean(out: "out").status == 0)
    #expect(differences(try shop.tree("whole"), try shop.tree("out")) == [])
  }

  @Test func whatOtherLibrariesScoredInTheFirstNightIsScoredAgain() throws {
    let shop = try Workshop(pairs: 200)
    try shop.writeJudges()
    #expect(try shop.clean(out: "whole", "--ensemble", "judges").status == 0)
    for stage in [["score", "in", "--ensemble", "judges"], ["fit"]] {
      let outcome = try Workshop.run(
        Workshop.binary, stage + ["--pipeline", "tiny.yaml", "--out", "out"], in: shop.root)
      #expect(outcome.status == 0, "\(stage): \(outcome.errors)")
    }
    try shop.pinOtherLibrary("out")
    func identities() throws -> [FileIdentity] {
      try ["noise-model.json", ".winnow/scores/000002-000002.record.json"].map {
        try FileIdentity(of: "\(shop.root)/out/\($0)")
      }
    }
    let before = try identities()
    // The libraries aren't all that is another: nothing is lost by a slip.
    let refused = try shop.clean(out: "out", "--ensemble", "judges", "--scoring", "cosine")
    #expect(refused.status == 1, "\(refused.errors)")
    #expect(
      refused.errors.contains("environment.libzstd: 0.0.1 (now ")
        && refused.errors.contains("score.method: "), "\(refused.errors)")
    #expect(try identities() == before)

    expectBegunAnew(try shop.clean(out: "out", "--ensemble", "judges"))
    let after = try identities()
    #expect(zip(before, after).allSatisfy { $0 != $1 })
    #expect(differences(try shop.tree("whole"), try shop.tree("out")) == [])
    #expect(try shop.clean(out: "out").errors.contains("Nothing new"))
  }

  /// Stops a run that has planned its increment, before an output shard of it is begun.
  private func stopOnceItIsPlanned(_ index: Int, _ shop: Workshop) throws {
    let plan = RunDirectory("\(shop.root)/out").plan(index)
    let cancellation = Cancellation()
    let run = try shop.context(cancellation: cancellation) { event in
      guard case .began(.write) = event, FileManager.default.fileExists(atPath: plan) else {
        return
      }
      cancellation.cancel(signal: SIGINT)
    }
    #expect(throws: RunError.cancelled(signal: SIGINT)) {
      try Run.clean(
        ShardSelection(["\(shop.root)/in"]), ensemble: "\(shop.root)/judges", in: run)
    }
    #expect(FileManager.default.fileExists(atPath: plan))
  }

  /// In the first increment, and in one that came after it.
  @Test(arguments: [0, 1], [true, false])
  func ofWhatIsOnlyPlannedAShardMayGoAwayOrChange(index: Int, isGone: Bool) throws {
    let shop = try Workshop(pairs: 200)
    try shop.writeJudges()
    func clean(_ out: String) throws -> String {
      let outcome = try shop.clean(out: out, "--ensemble", "judges")
      #expect(outcome.status == 0, "\(outcome.errors)")
      return outcome.errors
    }
    if index == 1 {
      _ = try clean("out")
      try FileManager.default.copyItem(atPath: "\(shop.root)/out", toPath: "\(shop.root)/whole")
    }
    try shop.add(200..<230, "a")
    try shop.add(230..<260, "b")
    try stopOnceItIsPlanned(index, shop)
    if isGone {
      try FileManager.default.removeItem(atPath: "\(shop.root)/in/a.tar")
    } else {
      try shop.add(300..<320, "a")
    }
    let told = try clean("out")
    let change =
      isGone
      ? "is gone before it was cleaned; it is left out"
      : "changed since it was pinned; it is judged as it is now"
    #expect(told.contains("/in/a.tar \(change)"), "\(told)")
    let pairs = isGone ? 30 : 50
    #expect(
      try shop.manifest().increments.map(\.pairs)
        == (index == 0 ? [200 + pairs] : [200, pairs]))
    // As if it had been so from the beginning.
    _ = try clean("whole")
    #expect(differences(try shop.tree("whole"), try shop.tree("out")) == [])
  }
}
