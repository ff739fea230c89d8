import Foundation
import Testing

@testable import Pipeline

/// Work that was stopped, and what came to its folders since, or went.
@Suite struct GrownInputTests {
  private func train(_ shop: Workshop, _ out: String) throws -> Workshop.Outcome {
    try shop.winnow("train", "in", "--pipeline", "tiny.yaml", "--out", out)
  }

  private func stopJudges(_ shop: Workshop) throws {
    try shop.stopOnceItTrains {
      try Run.train(ShardSelection(["\(shop.root)/in"]), in: $0)
    }
  }

  @Test func judgesLearnFromWhatWasThereWhenTheyWereBegun() throws {
    let shop = try Workshop(pairs: 200)
    #expect(try shop.clean(out: "whole").status == 0)
    try stopJudges(shop)
    // Before the others in the list.
    try shop.add(200..<230, "0")
    for isTrained in [false, true] {
      let outcome = try train(shop, "out")
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(
        outcome.errors.contains(
          "came too late to be learnt from, and will be judged after the rest: 1 shard\n")
          != isTrained,
        "\(outcome.errors)")
      #expect(outcome.errors.contains("nothing to train") == isTrained)
    }
    #expect(differences(try shop.tree("whole/ensemble"), try shop.tree("out/ensemble")) == [])
    for out in ["whole", "out"] {
      #expect(try shop.clean(out: out).status == 0)
      #expect(try shop.manifest(out).increments.map(\.pairs) == [200, 30])
    }
    #expect(differences(try shop.tree("whole"), try shop.tree("out")) == [])
  }

  /// What of the state would take hours to make again.
  private func halfTrained(_ shop: Workshop) throws -> [String] {
    try FileManager.default.subpathsOfDirectory(atPath: "\(shop.root)/out/.winnow").filter {
      $0.hasPrefix("training/judges/") || $0.hasPrefix("increments/")
    }.sorted()
  }

  /// A disk that isn't mounted tonight leaves its folder empty, or none; one of two, or the only one.
  @Test(arguments: [
    ["train", "-"], ["clean", "-"], ["train", "in", "two"], ["clean", "in", "two"],
  ])
  func judgesThatAreHalfTrainedWaitForADiskThatIsAway(command: [String]) throws {
    let shop = try Workshop(pairs: 200)
    let (root, files) = (shop.root, FileManager.default)
    try files.createDirectory(atPath: "\(root)/two", withIntermediateDirectories: false)
    for name in ["000000.tar", "000001.tar"] {
      #expect(rename("\(root)/in/\(name)", "\(root)/two/\(name)") == 0)
    }
    let list = try ["in", "two"].flatMap { folder in
      try files.contentsOfDirectory(atPath: "\(root)/\(folder)").sorted().map {
        "\(folder)/\($0)"
      }
    }
    func run() throws -> Workshop.Outcome {
      try Workshop.run(
        Workshop.binary, command + ["--pipeline", "tiny.yaml", "--out", "out"], in: root,
        input: list.joined(separator: "\n"))
    }
    try shop.stopOnceItTrains {
      try Run.train(ShardSelection(list.map { "\(root)/\($0)" }), in: $0)
    }
    let before = try halfTrained(shop)
    #expect(before.count > 3, "\(before)")
    for isEmptied in [true, false] {
      // The list names all that is away, the folders one disk of two.
      let away = command.last == "-" ? ["in", "two"] : ["two"]
      for folder in away {
        #expect(rename("\(root)/\(folder)", "\(root)/\(folder)-away") == 0)
        if isEmptied {
          try files.createDirectory(
            atPath: "\(root)/\(folder)", withIntermediateDirectories: false)
        }
      }
      let outcome = try run()
      #expect([1, 2].contains(outcome.status), "\(outcome.errors)")
      #expect(try halfTrained(shop) == before, "\(outcome.errors)")
      for folder in away {
        rmdir("\(root)/\(folder)")
        #expect(rename("\(root)/\(folder)-away", "\(root)/\(folder)") == 0)
      }
    }
    let healed = try run()
    #expect(healed.status == 0, "\(healed.errors)")
    let whole = try shop.winnow(
      "clean", "in", "two", "--pipeline", "tiny.yaml", "--out", "whole")
    #expect(whole.status == 0, "\(whole.errors)")
    #expect(differences(try shop.tree("whole/ensemble"), try shop.tree("out/ensemble")) == [])
  }

  @Test func aNightWhoseJudgesAreTrainedWaitsForACorpusThatIsAway() throws {
    let shop = try Workshop(pairs: 200)
    let list = try FileManager.default.contentsOfDirectory(atPath: "\(shop.root)/in").sorted()
      .map { "in/\($0)" }.joined(separator: "\n")
    func clean(_ out: String) throws -> Workshop.Outcome {
      try shop.winnow("clean", "-", "--pipeline", "tiny.yaml", "--out", out, input: list)
    }
    #expect(try clean("whole").status == 0)
    #expect(try train(shop, "out").status == 0)
    #expect(rename("\(shop.root)/in", "\(shop.root)/away") == 0)
    let pinned = "\(shop.root)/out/.winnow/increments/000000.json"
    let before = try Data(contentsOf: URL(fileURLWithPath: pinned))
    let outcome = try clean("out")
    #expect(outcome.status == 1, "\(outcome.errors)")
    #expect(
      outcome.errors.contains("what an earlier run began with them waits"), "\(outcome.errors)")
    #expect(try Data(contentsOf: URL(fileURLWithPath: pinned)) == before)
    #expect(rename("\(shop.root)/away", "\(shop.root)/in") == 0)
    #expect(try clean("out").status == 0)
    #expect(differences(try shop.tree("whole"), try shop.tree("out")) == [])
  }

  /// Nothing was published, so that nothing but the judges is left of the first corpus.
  @Test func aCorpusThatWasReplacedBeforeAnythingWasWrittenMakesNoUnknownOutput() throws {
    let shop = try Workshop(pairs: 200)
    try shop.stopOnceItTrains {
      try Run.clean(ShardSelection(["\(shop.root)/in"]), in: $0)
    }
    // As a run leaves them that is stopped before it has a plan.
    for folder in ["decisions", "clean", "rejected"] {
      try FileManager.default.createDirectory(
        atPath: "\(shop.root)/out/\(folder)", withIntermediateDirectories: false)
    }
    for name in try FileManager.default.contentsOfDirectory(atPath: "\(shop.root)/in") {
      try FileManager.default.removeItem(atPath: "\(shop.root)/in/\(name)")
    }
    try shop.add(300..<500, "new")
    let outcome = try shop.clean(out: "out")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(try shop.clean(out: "fresh").status == 0)
    #expect(differences(try shop.tree("fresh"), try shop.tree("out")) == [])
  }

  @Test func anotherCorpusIsNotTakenForOneThatGrew() throws {
    let shop = try Workshop(pairs: 200)
    try stopJudges(shop)
    #expect(rename("\(shop.root)/in", "\(shop.root)/old") == 0)
    try FileManager.default.createDirectory(
      atPath: "\(shop.root)/in", withIntermediateDirectories: false)
    try shop.add(300..<500, "0")
    let outcome = try train(shop, "out")
    #expect(outcome.status == 1, "\(outcome.errors)")
    #expect(outcome.errors.contains("begun with other shards"), "\(outcome.errors)")
  }

  @Test func aModelLearnsFromWhatWasThereWhenItWasBegun() throws {
    let shop = try ModelTrainingTests.shop()
    func train(_ out: String) throws -> Workshop.Outcome {
      try Workshop.run(
        Workshop.binary, ModelTrainingTests.train + ["--out", out], in: shop.root)
    }
    let whole = try train("whole")
    #expect(whole.status == 0 && !whole.errors.contains("too late"), "\(whole.errors)")
    try shop.stopOnceItTrains {
      try Run.trainModel(
        ShardSelection(["\(shop.root)/in"]), texts: TextSelection(["\(shop.root)/text"]), in: $0)
    }
    try shop.add(200..<220, "0")
    try "a new line".write(
      toFile: "\(shop.root)/text/0.txt", atomically: true, encoding: .utf8)
    let outcome = try train("out")
    #expect(outcome.status == 0, "\(outcome.errors)")
    for late in ["1 shard", "1 text"] {
      #expect(
        outcome.errors.contains(
          "came too late for this training: \(late); give another --out to train on all\n"),
        "\(outcome.errors)")
    }
    // What came to one that is finished would never be seen.
    let finished = try train("whole")
    #expect(finished.status == 1, "\(finished.errors)")
    #expect(finished.errors.contains("begun with other shards (1 new, 0 gone, 2 then)"))
    #expect(
      differences(
        try ModelTrainingTests.model(shop, "whole"), try ModelTrainingTests.model(shop, "out"))
        == [])
    try FileManager.default.removeItem(atPath: "\(shop.root)/in/000001.tar")
    let refused = try train("out")
    #expect(refused.status == 1, "\(refused.errors)")
    #expect(refused.errors.contains("begun with other shards (1 new, 1 gone, 2 then)"))
  }

  @Test func embeddingsAreOfWhatWasThereWhenTheyWereBegun() throws {
    let shop = try Workshop(pairs: 40, shards: 20)
    try shop.writeJudges()
    func embed() throws -> Workshop.Outcome {
      try shop.winnow("embed", "in", "--member", "judges", "--fold", "0", "--out", "out")
    }
    #expect(try embed().status == 0)
    let whole = try shop.tree("out")
    // As if it had been stopped before the last shard was done.
    for file in [".winnow/embedded/1.json", "embeddings.json"] {
      try FileManager.default.removeItem(atPath: "\(shop.root)/out/\(file)")
    }
    try shop.add(100..<110, "0")
    try shop.add(110..<120, "1")
    let outcome = try embed()
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(
      outcome.errors.contains(
        "came too late for these embeddings: 2 shards; give another --out to embed all\n"),
      "\(outcome.errors)")
    #expect(differences(whole, try shop.tree("out")) == [])
  }
}
