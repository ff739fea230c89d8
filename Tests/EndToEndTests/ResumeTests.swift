import Foundation
import Testing

@testable import Pipeline

@Suite struct ResumeTests {
  @Test func anInterruptedTrainingGoesOnToTheSameResult() throws {
    let shop = try Workshop(pairs: 200, pipeline: TinyCorpus.pipeline(epochs: 60))
    #expect(try shop.clean(out: "whole", "--workers", "1").status == 0)
    let process = try shop.start(
      "clean", "in", "--pipeline", "tiny.yaml", "--out", "cut", "--workers", "1")
    #expect(shop.appears("cut/.winnow/training"))
    process.interrupt()
    process.waitUntilExit()
    #expect(process.terminationStatus == 130)
    #expect(!FileManager.default.fileExists(atPath: "\(shop.root)/cut/manifest.json"))
    #expect(!FileManager.default.fileExists(atPath: "\(shop.root)/cut/.winnow/tmp"))
    #expect(try shop.clean(out: "cut").status == 0)
    #expect(differences(try shop.tree("whole"), try shop.tree("cut")) == [])
  }

  @Test func aRunKilledWhileWritingGoesOnToTheSameResult() throws {
    let shop = try Workshop(pairs: 200, pipeline: TinyCorpus.pipeline(shardSize: 1))
    #expect(try shop.clean(out: "whole").status == 0)
    let process = try shop.start("clean", "in", "--pipeline", "tiny.yaml", "--out", "cut")
    #expect(shop.appears("cut/clean/000003.tar.zst"))
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    let before = try shop.tree("cut").filter { $0.key.hasPrefix("clean/") }
    #expect(try shop.clean(out: "cut").status == 0)
    let after = try shop.tree("cut")
    // What had been published is as it was, and the rest is what it would have been.
    #expect(before.allSatisfy { after[$0.key] == $0.value })
    #expect(differences(try shop.tree("whole"), after) == [])
  }

  @Test func aRunKilledWhileTrainingGoesOnToTheSameResult() throws {
    let shop = try Workshop(pairs: 200, pipeline: TinyCorpus.pipeline(epochs: 40))
    #expect(try shop.clean(out: "whole").status == 0)
    let process = try shop.start("clean", "in", "--pipeline", "tiny.yaml", "--out", "cut")
    #expect(shop.appears("cut/.winnow/training"))
    usleep(300_000)
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    #expect(try shop.clean(out: "cut").status == 0)
    #expect(differences(try shop.tree("whole"), try shop.tree("cut")) == [])
  }

  @Test func aFolderAnotherRunHoldsIsLeftAlone() throws {
    let shop = try Workshop(pairs: 200, pipeline: TinyCorpus.pipeline(epochs: 400))
    let process = try shop.start("clean", "in", "--pipeline", "tiny.yaml", "--out", "out")
    #expect(shop.appears("out/.winnow/training"))
    let outcome = try shop.clean(out: "out")
    #expect(outcome.status == 75)
    #expect(outcome.errors.contains("process \(process.processIdentifier)"))
    process.terminate()
    process.waitUntilExit()
    #expect(process.terminationStatus == 143)
  }
}
