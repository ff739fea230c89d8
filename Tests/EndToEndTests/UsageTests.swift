import Foundation
import Testing

@testable import Pipeline

@Suite struct UsageTests {
  @Test(arguments: ["clean", "train", "score", "fit", "filter", "inspect", "eval"])
  func helpHasAnExampleAndEndsWithZero(command: String) throws {
    let shop = try Workshop()
    let outcome = try shop.winnow(command, "--help")
    #expect(outcome.status == 0)
    #expect(outcome.output.contains("Example"))
    #expect(outcome.output.contains("  winnow \(command)"))
    #expect(outcome.errors == "")
  }

  @Test(arguments: [
    ["frobnicate"], ["clean", "in"], ["clean", "--out", "out"], ["clean", "nowhere", "--out", "o"],
    ["clean", "in", "--out", "o", "--max-noise", "0.1", "--keep-fraction", "0.5"],
    ["clean", "in", "--out", "o", "--method", "threshold"],
    ["clean", "in", "--out", "o", "--max-noise", "7"],
    ["clean", "in", "--out", "o", "--workers", "0"],
    ["clean", "in", "--out", "o", "--pipeline", "nowhere.yaml"],
    ["clean", "in", "--out", "o", "--ensemble", "nowhere"],
  ])
  func wrongUsageEndsWithTwo(arguments: [String]) throws {
    let shop = try Workshop(pairs: 3)
    let outcome = try Workshop.run(Workshop.binary, arguments, in: shop.root)
    #expect(outcome.status == 2, "\(outcome.errors)")
    #expect(outcome.output == "")
    #expect(outcome.errors != "")
    #expect(!FileManager.default.fileExists(atPath: "\(shop.root)/o/manifest.json"))
  }

  @Test func aBadLineOfAListIsNamed() throws {
    let shop = try Workshop(pairs: 3)
    let outcome = try shop.winnow("clean", "-", "--out", "o", input: "in/000000.tar\npipe:ls\n")
    #expect(outcome.status == 2)
    #expect(outcome.errors.contains("2"))
  }

  @Test func whatWinnowWroteIsNotCleanedAgain() throws {
    let shop = try Workshop(pairs: 200)
    #expect(try shop.clean(out: "out").status == 0)
    let outcome = try shop.clean("out/clean", out: "second")
    #expect(outcome.status == 2)
    #expect(outcome.errors.contains("which Winnow wrote"))
  }

  @Test func tooFewPairsSayHowManyAreNeeded() throws {
    let shop = try Workshop(pairs: 20)
    let outcome = try shop.clean(out: "out")
    #expect(outcome.status == 1)
    #expect(outcome.errors.contains("20 distinct readable pairs are too few"))
    #expect(outcome.errors.contains("at least 100"))
  }

  @Test func aFolderBegunOtherwiseIsRefusedAndTheDifferenceNamed() throws {
    let shop = try Workshop(pairs: 200)
    #expect(try shop.clean(out: "out").status == 0)
    let settings = try shop.clean(out: "out", "--plain")
    #expect(settings.status == 1)
    #expect(settings.errors.contains("write.plain: false (now true)"))
    let seed = try shop.clean(out: "out", "--seed", "5")
    #expect(seed.errors.contains("judges.seed: 0 (now 5)"))
    let shards = try shop.clean("in/000000.tar", out: "out")
    #expect(shards.status == 1)
    #expect(shards.errors.contains("other shards"))
  }

  @Test func inspectDescribesAShard() throws {
    let shop = try Workshop(pairs: 10)
    let text = try shop.winnow("inspect", "in/000000.tar")
    #expect(text.status == 0)
    #expect(text.output.contains("10 samples, 10 pairs"))
    #expect(text.output.contains("json 10, png 10, txt 10"))
    let json = try shop.winnow("inspect", "in", "--json")
    let parsed = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [[String: Any]]
    #expect(parsed?.first?["samples"] as? Int == 10)
  }

  @Test func theEvaluationPrintsTheFigures() throws {
    let shop = try Workshop(pairs: 200)
    #expect(try shop.clean(out: "out").status == 0)
    let rows = try shop.samples("in").enumerated().map { i, sample in
      let swapped = i % 7 == 3
      let kind = swapped ? "random" : "none"
      return "\(String(decoding: sample.key, as: UTF8.self))\t\(swapped ? 1 : 0)\t\(kind)\n"
    }
    try ("key\tswapped\tkind\n" + rows.joined())
      .write(toFile: "\(shop.root)/truth.tsv", atomically: true, encoding: .utf8)
    let outcome = try shop.winnow(
      "eval", "noise", "--truth", "truth.tsv", "--out", "out", "--json")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let figures =
      try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any]
    #expect(figures?["pairs"] as? Int == 200)
    let share = Double(rows.count { $0.contains("\t1\t") }) / 200
    #expect(figures?["true_noise_rate"] as? Double == share)
  }
}
