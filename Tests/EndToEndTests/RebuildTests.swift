import Foundation
import Testing

@testable import Pipeline

@Suite struct RebuildTests {
  @Test func theNewFolderIsHeldUntilTheOldOneIsPutAway() throws {
    let shop = try Workshop(pairs: 120, shards: 120)
    #expect(try shop.clean(out: "out").status == 0)
    // What an earlier rebuild put away, which takes a while to delete.
    let (previous, heap) = ("\(shop.root)/out.previous", "\(shop.root)/out.previous/heap")
    for folder in [heap, "\(previous)/.winnow"] {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }
    for path in ["\(previous)/.winnow/put-away"] + (0..<20_000).map({ "\(heap)/\($0)" }) {
      _ = FileManager.default.createFile(atPath: path, contents: nil)
    }
    let process = try shop.start(
      "clean", "in", "--pipeline", "tiny.yaml", "--out", "out", "--ensemble", "out", "--rebuild")
    // Only what was built anew has this.
    #expect(shop.appears("out/.winnow/generation.json"))
    var held: RunError?
    do throws(RunError) {
      _ = try RunLock(RunDirectory("\(shop.root)/out"))
    } catch {
      held = error
    }
    // Else it was deleted too soon to tell.
    if shop.exists("out.previous/heap") || shop.exists("out/.winnow/tmp/*-discarded/heap") {
      #expect(
        held
          == RunError.lockHeld(
            directory: "\(shop.root)/out", pid: "\(process.processIdentifier)"))
    }
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    #expect(!FileManager.default.fileExists(atPath: heap))
    #expect(!FileManager.default.fileExists(atPath: "\(shop.root)/out/.winnow/tmp"))
    #expect(try shop.clean(out: "out", "--ensemble", "out").errors.contains("Nothing new"))
  }

  @Test func theOneBeforeIsPutAwayWholeThoughARebuildIsKilledWhileItDeletesAnOlderOne() throws {
    let shop = try Workshop(pairs: 120, shards: 120)
    try shop.writeJudges()
    func clean(_ more: String...) throws -> [String: Data] {
      let arguments = ["clean", "in", "--pipeline", "tiny.yaml", "--out", "out"]
      let outcome = try Workshop.run(
        Workshop.binary, arguments + ["--ensemble", "judges"] + more, in: shop.root)
      #expect(outcome.status == 0, "\(outcome.errors)")
      return try shop.tree("out")
    }
    func expectPutAway(_ before: [String: Data]) throws {
      #expect(differences(before, try shop.tree("out.previous")) == [])
      #expect(shop.exists("out.previous/.winnow/put-away"))
      #expect(!shop.exists("out.rebuild") && !shop.exists("out/.winnow/tmp/*"))
    }
    let first = try clean()
    let second = try clean("--plain", "--rebuild")
    #expect(differences(first, second) != [])
    try expectPutAway(first)
    _ = try clean("--rebuild")
    try expectPutAway(second)

    var isAtIt = false
    for _ in 0..<3 where !isAtIt {
      // Takes a while to delete.
      #expect(mkdir("\(shop.root)/out.previous/heap", 0o755) == 0)
      for i in 0..<20_000 {
        close(open("\(shop.root)/out.previous/heap/\(i)", O_WRONLY | O_CREAT, 0o644))
      }
      let process = try shop.start(
        "clean", "in", "--pipeline", "tiny.yaml", "--out", "out", "--ensemble", "judges",
        "--rebuild")
      isAtIt = shop.waits {
        shop.exists("out/.winnow/tmp/*-discarded") || !process.isRunning
      }
      isAtIt = isAtIt && process.isRunning
      if isAtIt { kill(process.processIdentifier, SIGKILL) }
      process.waitUntilExit()
    }
    try #require(isAtIt)
    let before = try shop.tree("out")
    // Whole, or not there.
    #expect(!shop.exists("out.previous/heap"))
    _ = try clean("--rebuild")
    try expectPutAway(before)
  }

  @Test func theFolderIsThereAtEveryMomentOfARebuild() throws {
    let shop = try Workshop(pairs: 120, shards: 120)
    #expect(try shop.clean(out: "out").status == 0)
    let manifest = "\(shop.root)/out/manifest.json"
    let before = try FileIdentity(of: manifest)
    let process = try shop.start(
      "clean", "in", "--pipeline", "tiny.yaml", "--out", "out", "--ensemble", "out", "--rebuild")
    // As often as can be: two renames, one after the other, would leave it away for microseconds.
    var status = stat()
    var absences = 0
    while process.isRunning {
      for _ in 0..<1000 where stat(manifest, &status) != 0 { absences += 1 }
      sched_yield()
    }
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    #expect(absences == 0)
    #expect(try FileIdentity(of: manifest) != before)
  }

  @Test func whatIsDamagedBesideTheFolderIsBegunAgain() throws {
    let shop = try Workshop(pairs: 120, shards: 120)
    #expect(try shop.clean(out: "out").status == 0)
    let increments = "\(shop.root)/out.rebuild/.winnow/increments"
    try FileManager.default.createDirectory(
      atPath: increments, withIntermediateDirectories: true)
    try "{".write(toFile: "\(increments)/000000.json", atomically: true, encoding: .utf8)
    let rebuilt = try shop.clean(out: "out", "--ensemble", "out", "--rebuild")
    #expect(rebuilt.status == 0, "\(rebuilt.errors)")
    #expect(rebuilt.errors.contains("it is begun again"), "\(rebuilt.errors)")
  }

  @Test func aKillBetweenTheSwapAndWhatFollowsItIsSettledByTheNextRebuild() throws {
    let shop = try Workshop(pairs: 120, shards: 120)
    func rebuild() throws -> Workshop.Outcome {
      try shop.clean(out: "out", "--plain", "--ensemble", "out", "--rebuild")
    }
    func generation(_ folder: String) -> String? {
      try? String(contentsOfFile: "\(shop.root)/\(folder)/.winnow/generation.json", encoding: .utf8)
    }
    #expect(try shop.clean(out: "out").status == 0)
    #expect(try rebuild().status == 0)
    let whole = try shop.tree("out")
    let first = try #require(generation("out"))
    // As it was left: swapped, and not put away.
    #expect(unlink("\(shop.root)/out.previous/.winnow/put-away") == 0)
    #expect(rename("\(shop.root)/out.previous", "\(shop.root)/out.rebuild") == 0)
    let night = try shop.clean(out: "out", "--plain")
    #expect(night.status == 0, "\(night.errors)")
    #expect(
      night.errors.contains("out.rebuild is what the folder was before the last rebuild"),
      "\(night.errors)")
    #expect(differences(whole, try shop.tree("out")) == [])
    let again = try rebuild()
    #expect(again.status == 0, "\(again.errors)")
    #expect(!shop.exists("out.rebuild") && generation("out") != first)
    #expect(generation("out.previous") == first)
    #expect(differences(whole, try shop.tree("out")) == [])
  }

  @Test func aRebuildTakesOtherSettingsAndGoesOnWhereItWasKilled() throws {
    let shop = try Workshop(pairs: 200, shards: 5)
    #expect(try shop.clean(out: "out").status == 0)
    let before = try shop.tree("out")
    let refused = try shop.clean(out: "out", "--plain")
    #expect(refused.status == 1 && refused.errors.contains("--rebuild"), "\(refused.errors)")
    for folder in ["ensemble", ".winnow/scores/000020-000020.record.json", "clean/000000.tar"] {
      let process = try shop.start(
        "clean", "in", "--pipeline", "tiny.yaml", "--out", "out", "--plain", "--rebuild")
      #expect(shop.appears("out.rebuild/\(folder)"))
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      // The old one serves until the new one is whole.
      if FileManager.default.fileExists(atPath: "\(shop.root)/out.rebuild") {
        #expect(differences(before, try shop.tree("out")) == [])
        // A night that goes on with the old one says that there is something to finish or to drop.
        let night = try shop.clean(out: "out")
        #expect(night.status == 0, "\(night.errors)")
        #expect(night.errors.contains("out.rebuild is of a rebuild that was stopped"))
        #expect(night.errors.contains("give --rebuild to finish it, or delete it"))
      }
    }
    let rebuilt = try shop.clean(out: "out", "--plain", "--rebuild")
    #expect(rebuilt.status == 0, "\(rebuilt.errors)")
    #expect(try shop.clean(out: "fresh", "--plain").status == 0)
    #expect(differences(try shop.tree("fresh"), try shop.tree("out")) == [])
    #expect(!FileManager.default.fileExists(atPath: "\(shop.root)/out.rebuild"))
  }

  @Test func aRebuildLooksBeforehandWhetherItCanEnd() throws {
    let shop = try Workshop(pairs: 200)
    #expect(try shop.clean(out: "out").status == 0)
    try FileManager.default.createDirectory(
      atPath: "\(shop.root)/out.previous/mine", withIntermediateDirectories: true)
    let stranger = try shop.clean(out: "out", "--rebuild")
    #expect(stranger.status == 2 && stranger.errors.contains("move it away"), "\(stranger.errors)")
    #expect(FileManager.default.fileExists(atPath: "\(shop.root)/out.previous/mine"))
    try FileManager.default.removeItem(atPath: "\(shop.root)/out.previous")
    // A copy that somebody made isn't deleted either.
    try FileManager.default.copyItem(
      atPath: "\(shop.root)/out", toPath: "\(shop.root)/out.previous")
    #expect(try shop.clean(out: "out", "--rebuild").status == 2)
    try FileManager.default.removeItem(atPath: "\(shop.root)/out.previous")
    // A slash at the end, as a shell completes it; and one that was begun otherwise is begun again.
    let process = try shop.start(
      "clean", "in", "--pipeline", "tiny.yaml", "--out", "out", "--plain", "--rebuild")
    #expect(shop.appears("out.rebuild/.winnow/increments/000000.plan.json"))
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    let isCut = FileManager.default.fileExists(atPath: "\(shop.root)/out.rebuild")
    let rebuilt = try shop.clean(out: "out/", "--rebuild")
    #expect(rebuilt.status == 0, "\(rebuilt.errors)")
    #expect(rebuilt.errors.contains("it is begun again") == isCut)
    #expect(try shop.manifest().clean.allSatisfy { $0.file.hasSuffix(".tar.zst") })
    // What a rebuild itself put away, the next one replaces.
    let third = try shop.clean(out: "out", "--rebuild")
    #expect(third.status == 0 && third.errors.contains("is replaced at the end"), "\(third.errors)")
    #expect(!FileManager.default.fileExists(atPath: "\(shop.root)/out.rebuild"))
  }
}
