import Foundation
import Synchronization
import TensorFiles
import Testing

@testable import Pipeline

@Suite struct ResumeTests {
  /// A place to stop a run at.
  private struct Stage {
    /// Shows that the run is there: so many new files of this suffix in this folder.
    var folder: String
    var suffix: String
    var count = 1
    /// What isn't there before the stage is over.
    var end: String
  }

  /// In a run's order: pairs are gathered, a dictionary and features are learnt, members trained, shards scored and written.
  private static let stages = [
    Stage(folder: ".winnow", suffix: "training", end: "ensemble"),
    Stage(folder: ".winnow/training/judges", suffix: "-stem-0.safetensors", end: "ensemble"),
    Stage(folder: ".winnow/training/judges", suffix: ".bin", end: "ensemble"),
    Stage(folder: ".winnow/training/judges", suffix: ".safetensors", end: "ensemble"),
    Stage(folder: ".winnow/training/judges", suffix: ".safetensors", end: "ensemble"),
    // The fit that follows is over soon, and no other place.
    Stage(folder: ".winnow/scores", suffix: ".record.json", count: 4, end: "clean"),
    Stage(folder: "clean", suffix: ".tar.zst", count: 4, end: "manifest.json"),
  ]

  private func names(_ folder: String, _ suffix: String, _ shop: Workshop) -> Set<String> {
    let files = try? FileManager.default.contentsOfDirectory(atPath: "\(shop.root)/cut/\(folder)")
    return Set(files ?? []).filter { $0.hasSuffix(suffix) }
  }

  /// What no run makes again: a file of the same bytes, written anew, has another inode or time.
  private func identities(_ shop: Workshop) throws -> [String: FileIdentity] {
    var result: [String: FileIdentity] = [:]
    let training = ".winnow/training/judges"
    let gathered = names(training, "", shop).filter { $0.hasPrefix("pairs-") }
    // Kept again until there is a stem.
    let isGathered = !names(training, "-stem-0.safetensors", shop).isEmpty
    for (folder, suffix) in (isGathered ? gathered : []).map({ ("\(training)/\($0)", ".npz") }) + [
      (".winnow/training/judges", ".safetensors"), (".winnow/training/judges", ".bin"),
      (".winnow/scores", ".record.json"),
      ("clean", ".tar.zst"), ("clean", "sizes.json"), ("rejected", ".tar.zst"),
    ] {
      for name in names(folder, suffix, shop) {
        let path = "\(folder)/\(name)"
        result[path] = try FileIdentity(of: "\(shop.root)/cut/\(path)")
      }
    }
    return result
  }

  /// Starts `clean` into `cut` and sends it the signal in a stage.
  /// - Returns: false where the run had left the stage by then: the machine stood still.
  private func stop(
    _ shop: Workshop, in stage: Stage, by signal: Int32, _ whole: [String: Data]
  ) throws -> Bool {
    let known = names(stage.folder, stage.suffix, shop)
    let process = try shop.start(
      "clean", "in", "--pipeline", "tiny.yaml", "--out", "cut", "--workers", "1")
    let isThere = shop.waits {
      let new = names(stage.folder, stage.suffix, shop).subtracting(known)
      return new.count >= stage.count || !process.isRunning
    }
    let seconds = Workshop.seconds(of: process, toEndAfter: signal)
    try #require(isThere, "\(stage)")
    if process.terminationStatus == 0 || shop.exists("cut/\(stage.end)") { return false }
    #expect(process.terminationStatus == (signal == SIGKILL ? SIGKILL : 128 + signal), "\(stage)")
    #expect(Workshop.isSanitized || seconds < 2, "\(stage)")
    // Beyond that it may have been ended before it had cleared away.
    #expect(signal == SIGKILL || seconds > 1 || !shop.exists("cut/.winnow/tmp"), "\(stage)")
    let others = try shop.tree("cut").filter { $0.value != whole[$0.key] }
    #expect(others.keys.sorted() == [], "\(stage)")
    return true
  }

  /// A run into `cut` that is stopped in every stage, one after another, and goes on each time.
  /// - Returns: the files made by then; nil where a stage was missed.
  private func stopInEveryStage(
    _ shop: Workshop, by signal: Int32, _ whole: [String: Data]
  ) throws -> [String: FileIdentity]? {
    try? FileManager.default.removeItem(atPath: "\(shop.root)/cut")
    var made: [String: FileIdentity] = [:]
    for stage in Self.stages {
      guard try stop(shop, in: stage, by: signal, whole) else { return nil }
      // Once there is an ensemble, members aren't kept.
      if shop.exists("cut/ensemble") {
        made = made.filter { !$0.key.hasPrefix(".winnow/training/") }
      }
      let now = try identities(shop)
      #expect(made.allSatisfy { now[$0.key] == $0.value }, "\(stage)")
      made = now
    }
    return made
  }

  @Test func aRunStoppedOrKilledInAnyStageGoesOnToTheSameResultAndMakesNothingTwice() throws {
    let shop = try Workshop(
      pairs: 200, shards: 4,
      pipeline: TinyCorpus.pipeline(minimumSteps: 80, shardSize: 2, dictionary: true))
    #expect(try shop.clean(out: "whole").status == 0)
    let whole = try shop.tree("whole")
    for signal in [SIGINT, SIGTERM, SIGKILL] {
      var made: [String: FileIdentity]?
      for _ in 0..<3 where made == nil { made = try stopInEveryStage(shop, by: signal, whole) }
      let before = try #require(made, "signal \(signal)")
      #expect(try shop.clean(out: "cut").status == 0)
      let after = try identities(shop)
      #expect(before.allSatisfy { after[$0.key] == $0.value }, "signal \(signal)")
      #expect(differences(whole, try shop.tree("cut")) == [], "signal \(signal)")
    }
  }

  /// Stops a training into `cut` before its first member is finished.
  /// - Returns: false where the member wasn't begun, or was finished by then.
  private func stopInFirstMember(_ shop: Workshop, after microseconds: UInt32) throws -> Bool {
    let training = "cut/.winnow/training/judges"
    try? FileManager.default.removeItem(atPath: "\(shop.root)/cut")
    let process = try shop.start(
      "train", "in", "--pipeline", "tiny.yaml", "--out", "cut", "--workers", "1")
    let isGathered = shop.appears("\(training)/*/stored.npz")
    usleep(microseconds)
    _ = Workshop.seconds(of: process, toEndAfter: SIGTERM)
    try #require(isGathered)
    #expect(process.terminationStatus == 128 + SIGTERM)
    return shop.exists("\(training)/*.unfinished") && !shop.exists("\(training)/*.safetensors")
  }

  /// Seconds after its beginning a member is kept only because it is stopped.
  @Test func aMemberThatIsStoppedInTheMiddleIsGoneOnWithFromThere() throws {
    // The first member learns for seconds, those that follow for minutes.
    let shop = try Workshop(pairs: 200, pipeline: TinyCorpus.pipeline(minimumSteps: 8000))
    var isStopped = false
    for microseconds: UInt32 in [200_000, 500_000, 1_000_000, 50_000] where !isStopped {
      isStopped = try stopInFirstMember(shop, after: microseconds)
    }
    try #require(isStopped)
    let training = ".winnow/training/judges"
    let name = try #require(names(training, ".unfinished", shop).first)
    let metadata = try SafeTensors.read("\(shop.root)/cut/\(training)/\(name)").metadata
    let state = try #require(metadata["state"])
    let object = try JSONSerialization.jsonObject(with: Data(state.utf8)) as? [String: Any]
    let step = try #require(object?["step"] as? Int)
    #expect(step > 0)

    var configuration = try PipelineFile.load("\(shop.root)/tiny.yaml")
    configuration.workers = 1
    let cancellation = Cancellation()
    let first = Mutex<Double?>(nil)
    let run = try RunContext(
      configuration: configuration, directory: RunDirectory("\(shop.root)/cut"),
      cancellation: cancellation
    ) { event in
      guard case .progress(.train, let done, _, _, _) = event else { return }
      first.withLock { $0 = $0 ?? done }
      cancellation.cancel(signal: SIGINT)
    }
    #expect(throws: RunError.cancelled(signal: SIGINT)) {
      try Run.train(ShardSelection(["\(shop.root)/in"]), in: run)
    }
    #expect(first.withLock { $0 } == Double(step))
  }

  /// Has the half-done run in `cut` say that it was begun with another libzstd, for one resume of a stage.
  private func expectRefusalWithAnotherLibrary(_ shop: Workshop) throws {
    let file = URL(fileURLWithPath: "\(shop.root)/cut/.winnow/settings.json")
    let pinned = try Data(contentsOf: file)
    var settings = try #require(
      try JSONSerialization.jsonObject(with: pinned) as? [String: Any])
    var values = try #require(settings["values"] as? [String: String])
    let used = values.updateValue("0.0.1", forKey: "environment.libzstd")
    #expect(used != nil)
    settings["values"] = values
    try JSONSerialization.data(withJSONObject: settings).write(to: file)
    let outcome = try shop.winnow("score", "in", "--pipeline", "tiny.yaml", "--out", "cut")
    #expect(outcome.status == 1, "\(outcome.errors)")
    #expect(outcome.errors.contains("environment.libzstd: 0.0.1 (now "), "\(outcome.errors)")
    #expect(!shop.exists("cut/clean"))
    try pinned.write(to: file)
  }

  @Test func aShardWhoseScoresLackAFileIsScoredAgain() throws {
    let shop = try Workshop(pairs: 200)
    #expect(try shop.clean(out: "whole").status == 0)
    for command in ["train", "score"] {
      #expect(
        try shop.winnow(command, "in", "--pipeline", "tiny.yaml", "--out", "cut").status == 0)
    }
    try expectRefusalWithAnotherLibrary(shop)
    for name in ["000001-000001.npz", "000002-000002.statistics.json"] {
      try FileManager.default.removeItem(atPath: "\(shop.root)/cut/.winnow/scores/\(name)")
    }
    let outcome = try shop.clean(out: "cut")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(differences(try shop.tree("whole"), try shop.tree("cut")) == [])
  }

  @Test func aFolderAnotherRunHoldsIsLeftAloneAndASecondSignalEndsIt() throws {
    let shop = try Workshop(pairs: 200, pipeline: TinyCorpus.pipeline(epochs: 400))
    let process = try shop.start("clean", "in", "--pipeline", "tiny.yaml", "--out", "out")
    #expect(shop.appears("out/.winnow/training"))
    let outcome = try shop.clean(out: "out")
    #expect(outcome.status == 75)
    #expect(outcome.errors.contains("process \(process.processIdentifier)"))
    process.terminate()
    process.interrupt()
    process.waitUntilExit()
    #expect([143, 130].contains(process.terminationStatus))
  }
}
