import Foundation
import Testing

@testable import Pipeline

@Suite struct UsageTests {
  @Test(arguments: [
    "clean", "train", "score", "fit", "filter", "publish", "restore", "embed", "inspect", "eval",
    "labels",
  ])
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
    ["clean", "in", "--out", "o", "--workers", "1025"], ["fit", ""],
    ["fit", "in", "", "--out", "o"],
    ["publish", "--out", ""],
    ["clean", "in", "--out", "o", "--pipeline", "nowhere.yaml"],
    ["clean", "in", "--out", "o", "--ensemble", "nowhere"],
    ["train", "in", "--out", "o", "--epochs", "0"],
  ])
  func wrongUsageEndsWithTwo(arguments: [String]) throws {
    let shop = try Workshop(pairs: 3)
    let outcome = try Workshop.run(Workshop.binary, arguments, in: shop.root)
    #expect(outcome.status == 2, "\(outcome.errors)")
    #expect(outcome.output == "")
    #expect(outcome.errors != "")
    #expect(!FileManager.default.fileExists(atPath: "\(shop.root)/o/manifest.json"))
  }

  @Test func theLogHasTheStatusThatTheProcessEndsWith() throws {
    let shop = try Workshop(pairs: 3)
    for (status, arguments) in [
      (2, ["train", "in", "--for", "judges", "--text", "tiny.yaml"]),
      (2, ["embed", "nowhere", "--member", "m"]), (1, ["clean", "in"]),
    ] {
      let outcome = try Workshop.run(
        Workshop.binary, arguments + ["--out", "o", "--log", "w.jsonl"], in: shop.root)
      #expect(outcome.status == Int32(status), "\(outcome.errors)")
      let log = try String(contentsOfFile: "\(shop.root)/w.jsonl", encoding: .utf8)
      #expect(log.split(separator: "\n").last?.contains("\"status\":\(status),") == true, "\(log)")
    }
  }

  @Test func aBadLineOfAListIsNamed() throws {
    let shop = try Workshop(pairs: 3)
    let outcome = try shop.winnow("clean", "-", "--out", "o", input: "in/000000.tar\npipe:ls\n")
    #expect(outcome.status == 2)
    #expect(outcome.errors.contains("line 2"))
    #expect(!FileManager.default.fileExists(atPath: "\(shop.root)/o"))
  }

  @Test func whatWinnowWroteIsNotCleanedAgain() throws {
    let shop = try Workshop(pairs: 200)
    #expect(try shop.clean(out: "corpus/out").status == 0)
    // Read first, and not Winnow's.
    try FileManager.default.copyItem(
      atPath: "\(shop.root)/in/000000.tar", toPath: "\(shop.root)/corpus/a.tar")
    let shard = "corpus/out/clean/000000.tar.zst"
    for (link, target) in [("link.tar.zst", shard), ("linked", "corpus/out/clean")] {
      try FileManager.default.createSymbolicLink(
        atPath: "\(shop.root)/\(link)", withDestinationPath: target)
    }
    for (input, list, named) in [
      ("corpus/out/clean", "", shard), (shard, "", shard), ("corpus", "", shard),
      ("corpus/out/rejected", "", "corpus/out/rejected/000000.tar.zst"),
      ("-", "corpus/a.tar\n\(shard)\n", shard), ("-", "corpus\n", shard),
      ("link.tar.zst", "", "link.tar.zst"), ("-", "link.tar.zst\n", "link.tar.zst"),
      ("linked", "", "linked/000000.tar.zst"),
    ] {
      let outcome = try shop.winnow(
        "clean", input, "--pipeline", "tiny.yaml", "--out", "second", input: list)
      #expect(outcome.status == 2, "\(input) \(list): \(outcome.errors)")
      #expect(outcome.errors.contains("\(named) lies in /"), "\(outcome.errors)")
      #expect(outcome.errors.contains("/corpus/out, which Winnow wrote"), "\(outcome.errors)")
      #expect(!shop.exists("second"), "\(input) \(list)")
    }
  }

  @Test func twoCutsAreRefusedAndOneOnTheCommandLineReplacesTheFiles() throws {
    let shop = try Workshop(pairs: 200)
    for (file, cut) in [("half", "keepFraction: 0.5"), ("two", "keepFraction: 0.5, maxNoise: 1")] {
      try (TinyCorpus.pipeline() + "\nnoise: {\(cut)}\n")
        .write(toFile: "\(shop.root)/\(file).yaml", atomically: true, encoding: .utf8)
    }
    func clean(_ file: String, _ out: String, _ more: [String] = []) throws -> Workshop.Outcome {
      try Workshop.run(
        Workshop.binary, ["clean", "in", "--pipeline", "\(file).yaml", "--out", out] + more,
        in: shop.root)
    }
    let (noise, fraction) = (["--max-noise", "1"], ["--keep-fraction", "0.5"])
    let method = ["--method", "confident-learning"]
    // Nor does a flag mend a file that makes no sense by itself.
    let refused: [(file: String, flags: [String])] = [
      ("tiny", noise + fraction), ("tiny", method + noise), ("half", method + fraction),
      ("two", []), ("two", noise),
    ]
    for (file, flags) in refused {
      let outcome = try clean(file, "out", flags)
      #expect(outcome.status == 2, "\(file) \(flags): \(outcome.errors)")
      #expect(outcome.errors.contains("choose one"), "\(file) \(flags): \(outcome.errors)")
      #expect(!shop.exists("out"), "\(file) \(flags)")
    }
    #expect(try clean("half", "half").status == 0)
    #expect((90...110).contains(try shop.manifest("half").ledger.kept))
    let all = try clean("half", "all", noise + ["--ensemble", "half"])
    #expect(all.status == 0, "\(all.errors)")
    #expect(try shop.manifest("all").ledger.kept == 200)
    let pinned = try shop.manifest("all").provenance.configuration.noise
    #expect(pinned?.maxNoise == 1 && pinned?.keepFraction == nil)
    let named = try clean("half", "named", method + ["--ensemble", "half"])
    #expect(named.status == 0, "\(named.errors)")
    let replaced = try shop.manifest("named").provenance.configuration.noise
    #expect(replaced?.method == .confidentLearning && replaced?.keepFraction == nil)
  }

  @Test(arguments: [("in", "in/clean"), ("in", "in"), (".", "."), ("{in,other}", "in/clean")])
  func anOutputFolderInTheInputIsRefusedAndNotMade(input: String, output: String) throws {
    let shop = try Workshop(pairs: 3)
    try TinyCorpus.write(3, size: 3, to: "\(shop.root)/other")
    try FileManager.default.moveItem(
      atPath: "\(shop.root)/other/000000.tar", toPath: "\(shop.root)/other/b.tar")
    let before = try FileManager.default.subpathsOfDirectory(atPath: shop.root)
    let outcome = try shop.clean(input, out: output)
    #expect(outcome.status == 2, "\(outcome.errors)")
    #expect(outcome.errors.contains("lie one in the other"))
    #expect(try FileManager.default.subpathsOfDirectory(atPath: shop.root) == before)
  }

  @Test func anOutputFolderThatHoldsAShardIsRefused() throws {
    let shop = try Workshop(pairs: 3)
    #expect(try shop.clean("in/000000.tar", out: ".").status == 2)
    #expect(try shop.clean("in/000000.tar", out: "in").status == 2)
    let list = try shop.winnow("clean", "-", "--out", "in/clean", input: "in\n")
    #expect(list.status == 2, "\(list.errors)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: "\(shop.root)/in").count == 1)
  }

  @Test func anOutputFolderBesideShardsGivenByNameIsFine() throws {
    let shop = try Workshop(pairs: 120, shards: 120)
    let outcome = try shop.clean("in/000000.tar", out: "in/out")
    #expect(outcome.status == 0, "\(outcome.errors)")
    // Nor does a folder's state, in a folder of that name without an increment, poison the shards beside it.
    try FileManager.default.createDirectory(
      atPath: "\(shop.root)/.winnow", withIntermediateDirectories: true)
    #expect(try shop.clean("in/000000.tar", out: "second", "--ensemble", "in/out").status == 0)
  }

  @Test func outputOfUnknownOriginIsRefused() throws {
    let shop = try Workshop(pairs: 120, shards: 120)
    #expect(try shop.clean(out: "out").status == 0)
    try FileManager.default.removeItem(atPath: "\(shop.root)/out/.winnow")
    let outcome = try shop.clean(out: "out")
    #expect(outcome.status == 1)
    #expect(outcome.errors.contains("which says what it was made of"))
  }

  @Test func anEmptyListIsNothingToDo() throws {
    let shop = try Workshop()
    let outcome = try shop.winnow("clean", "-", "--out", "o", input: "\n# nothing tonight\n")
    #expect(outcome.status == 0)
    #expect(outcome.errors.contains("Nothing to do"))
    #expect(!FileManager.default.fileExists(atPath: "\(shop.root)/o"))
  }

  @Test func fitMakesNoFolderAndWantsEveryShardsScores() throws {
    let shop = try Workshop(pairs: 200)
    #expect(try shop.winnow("fit", "nowhere").status == 1)
    #expect(!FileManager.default.fileExists(atPath: "\(shop.root)/nowhere"))
    #expect(
      try shop.winnow("train", "in", "--pipeline", "tiny.yaml", "--out", "out").status == 0)
    #expect(
      try shop.winnow("score", "in", "--pipeline", "tiny.yaml", "--out", "out").status == 0)
    let record = "\(shop.root)/out/.winnow/scores/000002-000002.record.json"
    #expect(rename(record, record + ".away") == 0)
    let partial = try shop.winnow("fit", "out")
    #expect(partial.status == 1)
    #expect(partial.errors.contains("000002-000002.record.json is missing"))
    #expect(rename(record + ".away", record) == 0)
    #expect(try shop.winnow("fit", "out", "out").status == 2)
    #expect(try shop.winnow("fit", "out").status == 0)
  }

  @Test func scoresMadeAnewAreFittedAnewUntilTheirCutIsPublished() throws {
    let shop = try Workshop(pairs: 200)
    #expect(try shop.clean(out: "one").status == 0)
    #expect(try shop.clean(out: "two", "--seed", "3").status == 0)
    func swapModel(_ out: String) throws {
      let file = "\(shop.root)/\(out)/noise-model.json"
      try FileManager.default.removeItem(atPath: file)
      try FileManager.default.copyItem(atPath: "\(shop.root)/two/noise-model.json", toPath: file)
    }
    #expect(
      try shop.winnow(
        "score", "in", "--pipeline", "tiny.yaml", "--ensemble", "one", "--out", "staged"
      ).status == 0)
    #expect(try shop.winnow("fit", "staged").status == 0)
    try swapModel("staged")
    let filtered = try shop.winnow("filter", "in", "--pipeline", "tiny.yaml", "--out", "staged")
    #expect(filtered.status == 1)
    #expect(filtered.errors.contains("run `winnow fit`"))
    #expect(try shop.winnow("fit", "staged").status == 0)
    #expect(
      try shop.tree("staged")["noise-model.json"] == shop.tree("one")["noise-model.json"])
    try swapModel("one")
    let published = try shop.winnow("fit", "one")
    #expect(published.status == 1)
    #expect(published.errors.contains("but was published with"))
  }

  @Test func whoClosedStandardErrorOrTheListEndsNothingWithASignal() throws {
    let shop = try Workshop(pairs: 120, shards: 120)
    let shell = URL(fileURLWithPath: "/bin/bash")
    func run(_ redirection: String, _ out: String) throws -> Workshop.Outcome {
      let command =
        "'\(Workshop.binary.path)' clean in --pipeline tiny.yaml --out \(out) \(redirection)"
      return try Workshop.run(shell, ["-c", command], in: shop.root)
    }
    #expect(try run("2> /dev/full", "a").status == 0)
    let full = try run("> /dev/full", "b")
    #expect(full.status == 1)
    #expect(full.errors.contains("can't write to standard output"))
    #expect(try shop.manifest("b").ledger.read == 120)
  }

  @Test func tooFewPairsSayHowManyAreNeeded() throws {
    let shop = try Workshop(pairs: 20)
    let outcome = try shop.clean(out: "out")
    #expect(outcome.status == 1)
    #expect(outcome.errors.contains("20 different readable pairs are too few"))
    #expect(outcome.errors.contains("at least 100"))
    let one = try Workshop(pairs: 1)
    let model = try one.winnow("train", "in", "--for", "downstream", "--out", "model")
    #expect(model.status == 1)
    #expect(model.errors.contains("too few to train a model on: at least 2"))
  }

  @Test func tooFewPairsTonightAreLearntFromTogetherWithTomorrows() throws {
    let shop = try Workshop(pairs: 20)
    #expect(try shop.clean(out: "out").status == 1)
    #expect(!FileManager.default.fileExists(atPath: "\(shop.root)/out"))
    try FileManager.default.createDirectory(
      atPath: "\(shop.root)/held/.winnow", withIntermediateDirectories: true)
    #expect(try shop.clean(out: "held").status == 1)
    try TinyCorpus.write((20..<200).flatMap { TinyCorpus.sample($0) }, to: "\(shop.root)/in/b.tar")
    for out in ["out", "held"] {
      let outcome = try shop.clean(out: out)
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(try shop.manifest(out).increments.map(\.pairs) == [200])
    }
  }

  @Test func inputsThatCannotBeReadLeaveNoFolderBehind() throws {
    let shop = try Workshop(pairs: 3)
    for command in [["clean", "-"], ["clean", "pipe:false"], ["train", "-"], ["embed", "-"]] {
      let member = command[0] == "embed" ? ["--member", "nowhere"] : []
      let outcome = try Workshop.run(
        Workshop.binary, command + member + ["--out", "typo"], in: shop.root,
        input: "nowhere/a.tar\nnowhere/b.tar\n")
      #expect(outcome.status != 0, "\(command)")
      if command[0] == "clean" {
        #expect(
          outcome.errors.contains("can't be opened") || outcome.errors.contains("can be opened"))
      }
      #expect(!FileManager.default.fileExists(atPath: "\(shop.root)/typo"), "\(command)")
    }
  }

  @Test func aFolderBegunOtherwiseIsRefusedAndTheDifferenceNamed() throws {
    let shop = try Workshop(pairs: 200)
    #expect(try shop.clean(out: "out").status == 0)
    let settings = try shop.clean(out: "out", "--plain")
    #expect(settings.status == 1)
    #expect(settings.errors.contains("write.plain: false (now true)"))
    let seed = try shop.clean(out: "out", "--seed", "5")
    #expect(seed.errors.contains("  seed: 0 (now 5)"), "\(seed.errors)")
    let other = try shop.clean(out: "other", "--seed", "5")
    #expect(other.status == 0, "\(other.errors)")
    let ensemble = try shop.clean(out: "out", "--ensemble", "other")
    #expect(ensemble.status == 1)
    #expect(ensemble.errors.contains("was judged by ensemble"))
    #expect(try shop.clean(out: "out", "--ensemble", "out").status == 0)
  }

  /// Each stage, to what decides its result.
  @Test func theStagesOneByOneRefuseAFolderBegunOtherwiseToo() throws {
    let shop = try Workshop(pairs: 200)
    #expect(try shop.clean(out: "out").status == 0)
    // Scored, and not filtered yet.
    let scored = try shop.winnow(
      "score", "in", "--pipeline", "tiny.yaml", "--ensemble", "out", "--out", "begun")
    #expect(scored.status == 0, "\(scored.errors)")
    try (TinyCorpus.pipeline() + "\nread: {maxMemberBytes: 9000}\n")
      .write(toFile: "\(shop.root)/other.yaml", atomically: true, encoding: .utf8)
    let before = try ["out", "begun"].map { try shop.tree($0) }
    func expectRefused(_ out: String, _ arguments: [String], _ difference: String) throws {
      let outcome = try Workshop.run(
        Workshop.binary, arguments + ["in", "--out", out], in: shop.root)
      #expect(outcome.status == 1, "\(out) \(arguments): \(outcome.errors)")
      #expect(
        outcome.errors.contains("\(out) was begun with other settings")
          && outcome.errors.contains("\n  \(difference)"), "\(arguments): \(outcome.errors)")
    }
    for out in ["out", "begun"] {
      for stage in ["score", "filter"] {
        try expectRefused(
          out, [stage, "--pipeline", "other.yaml"], "read.maxMemberBytes: 67108864 (now 9000)")
      }
      try expectRefused(
        out, ["score", "--pipeline", "tiny.yaml", "--scoring", "cosine"],
        "score.method: \"bank-likelihood\" (now \"cosine\")")
    }
    try expectRefused(
      "out", ["filter", "--pipeline", "tiny.yaml", "--plain"], "write.plain: false (now true)")
    let after = try ["out", "begun"].map { try shop.tree($0) }
    for (before, after) in zip(before, after) { #expect(differences(before, after) == []) }
  }

  @Test(arguments: ["manifest.json", ".winnow/settings.json", ".winnow/increments/000000.json"])
  func aFolderWithAFormatOfAnotherTimeIsRefusedAndStaysAsItIs(file: String) throws {
    let shop = try Workshop(pairs: 120, shards: 120)
    #expect(try shop.clean(out: "out").status == 0)
    let before = try shop.tree("out")
    let path = "\(shop.root)/out/\(file)"
    let text = try String(contentsOfFile: path, encoding: .utf8)
    let other = text.replacing(#/("format_version"\s*:\s*)\d+/#, with: { "\($0.1)99" })
    try #require(other != text)
    try other.write(toFile: path, atomically: true, encoding: .utf8)
    func expectRefused() throws {
      let outcome = try shop.clean(out: "out")
      #expect(outcome.status == 1, "\(outcome.errors)")
      #expect(
        outcome.errors.contains(
          " out/\(file) has format version 99, this Winnow reads \(StateJSON.formatVersion);"),
        "\(outcome.errors)")
    }
    try expectRefused()
    // Nor is anything made of what is new.
    try TinyCorpus.write(
      (120..<150).flatMap { TinyCorpus.sample($0) }, to: "\(shop.root)/in/new.tar")
    try expectRefused()
    #expect(!shop.exists("out/.winnow/increments/000001.json"))
    #expect(try String(contentsOfFile: path, encoding: .utf8) == other)
    try text.write(toFile: path, atomically: true, encoding: .utf8)
    #expect(differences(before, try shop.tree("out")) == [])
    #expect(try shop.clean(out: "out").status == 0)
    #expect(try shop.manifest().increments.map(\.pairs) == [120, 30])
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
