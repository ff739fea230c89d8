import Foundation
import Testing

@testable import Pipeline

@Suite struct ResumeTests {
  /// Starts `clean` into `cut`, waits for a file there, and stops the run at once.
  /// - Returns: the exit status, or the signal that ended it.
  private func stop(
    _ shop: Workshop, when path: String, signal: Int32 = SIGKILL
  ) throws -> Int32 {
    let process = try shop.start(
      "clean", "in", "--pipeline", "tiny.yaml", "--out", "cut", "--workers", "1")
    #expect(shop.appears("cut/\(path)"))
    kill(process.processIdentifier, signal)
    process.waitUntilExit()
    // Else there is nothing to go on with, and the test shows nothing.
    #expect(!FileManager.default.fileExists(atPath: "\(shop.root)/cut/manifest.json"))
    return process.terminationStatus
  }

  /// What a file is, whatever its bytes: written again, it would have another inode or time.
  private func identities(_ folder: String, _ shop: Workshop) throws -> [String: FileIdentity] {
    let files = try FileManager.default.contentsOfDirectory(atPath: "\(shop.root)/\(folder)")
    return Dictionary(
      uniqueKeysWithValues: try files.map {
        ($0, try FileIdentity(of: "\(shop.root)/\(folder)/\($0)"))
      })
  }

  @Test func anInterruptedTrainingGoesOnToTheSameResult() throws {
    let shop = try Workshop(pairs: 200, pipeline: TinyCorpus.pipeline(epochs: 60))
    #expect(try shop.clean(out: "whole", "--workers", "1").status == 0)
    #expect(try stop(shop, when: ".winnow/training", signal: SIGINT) == 130)
    #expect(!FileManager.default.fileExists(atPath: "\(shop.root)/cut/.winnow/tmp"))
    #expect(!FileManager.default.fileExists(atPath: "\(shop.root)/cut/ensemble"))
    #expect(try shop.clean(out: "cut").status == 0)
    #expect(differences(try shop.tree("whole"), try shop.tree("cut")) == [])
  }

  @Test func aMemberTrainedBeforeTheKillIsNotTrainedAgain() throws {
    let shop = try Workshop(pairs: 200, pipeline: TinyCorpus.pipeline(epochs: 40))
    #expect(try shop.clean(out: "whole").status == 0)
    let process = try shop.start(
      "clean", "in", "--pipeline", "tiny.yaml", "--out", "cut", "--workers", "1")
    let training = "\(shop.root)/cut/.winnow/training"
    var finished: [String] = []
    while finished.isEmpty, process.isRunning {
      finished = (try? FileManager.default.contentsOfDirectory(atPath: training)) ?? []
      usleep(500)
    }
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    #expect(!FileManager.default.fileExists(atPath: "\(shop.root)/cut/ensemble"))
    let before = try identities("cut/.winnow/training", shop)
    #expect(!before.isEmpty)
    // Looked at while the second run still holds them: it deletes them when the ensemble is whole.
    let second = try shop.start(
      "clean", "in", "--pipeline", "tiny.yaml", "--out", "cut", "--workers", "1")
    var after = before
    while second.isRunning, let now = try? identities("cut/.winnow/training", shop),
      before.keys.allSatisfy({ now[$0] != nil })
    {
      after = now
      usleep(500)
    }
    second.waitUntilExit()
    #expect(second.terminationStatus == 0)
    #expect(after.count > before.count)
    #expect(before.allSatisfy { after[$0.key] == $0.value })
    #expect(differences(try shop.tree("whole"), try shop.tree("cut")) == [])
  }

  @Test func aShardScoredBeforeTheKillIsNotScoredAgain() throws {
    let shop = try Workshop(pairs: 200, shards: 2)
    #expect(try shop.clean(out: "whole").status == 0)
    _ = try stop(shop, when: ".winnow/scores/000003-000003.record.json")
    let before = try identities("cut/.winnow/scores", shop)
      .filter { $0.key.hasSuffix(".record.json") }
    #expect((4..<100).contains(before.count))
    #expect(try shop.clean(out: "cut").status == 0)
    let after = try identities("cut/.winnow/scores", shop)
    #expect(before.allSatisfy { after[$0.key] == $0.value })
    #expect(differences(try shop.tree("whole"), try shop.tree("cut")) == [])
  }

  @Test func aShardWhoseScoresLackAFileIsScoredAgain() throws {
    let shop = try Workshop(pairs: 200)
    #expect(try shop.clean(out: "whole").status == 0)
    for command in ["train", "score"] {
      #expect(
        try shop.winnow(command, "in", "--pipeline", "tiny.yaml", "--out", "cut").status == 0)
    }
    for name in ["000001-000001.npz", "000002-000002.statistics.json"] {
      try FileManager.default.removeItem(atPath: "\(shop.root)/cut/.winnow/scores/\(name)")
    }
    let outcome = try shop.clean(out: "cut")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(differences(try shop.tree("whole"), try shop.tree("cut")) == [])
  }

  @Test func aShardPublishedBeforeTheKillIsNotWrittenAgain() throws {
    let shop = try Workshop(pairs: 200, pipeline: TinyCorpus.pipeline(shardSize: 1))
    #expect(try shop.clean(out: "whole").status == 0)
    _ = try stop(shop, when: "clean/000003.tar.zst")
    let before = try identities("cut/clean", shop)
    // It names every shard, those to come too.
    #expect(before["sizes.json"] != nil)
    #expect((5..<150).contains(before.count))
    #expect(
      try shop.tree("cut")["clean/sizes.json"] == shop.tree("whole")["clean/sizes.json"])
    #expect(try shop.clean(out: "cut").status == 0)
    let after = try identities("cut/clean", shop)
    #expect(before.allSatisfy { after[$0.key] == $0.value })
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
