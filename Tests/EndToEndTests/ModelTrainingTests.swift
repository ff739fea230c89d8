import Foundation
import Testing

@testable import Pipeline

/// `winnow train` as the trainer of a model on clean pairs and unpaired text.
@Suite struct ModelTrainingTests {
  private static func pipeline(epochs: Int) -> String {
    """
    \(TinyCorpus.pipeline())
    train:
      epochs: \(epochs)
      batchSize: 16
      lanes: 3
      queue: 20
      ecl: {keep: 0.8}
      checkpointSeconds: 0
      logSteps: 4
      model:
        image: {side: 16, widths: [8, 16], blocks: [0, 0]}
        text: {vocabularySize: 600, width: 16, depth: 1, heads: 2, hidden: 32, maxTokens: 12}
        dimension: 16
        snapshots: 3
      mlm: {batchSize: 6}
    """
  }

  static func shop(epochs: Int = 3) throws -> Workshop {
    let shop = try Workshop(pairs: 120, shards: 60, pipeline: pipeline(epochs: epochs))
    try FileManager.default.createDirectory(
      atPath: "\(shop.root)/text", withIntermediateDirectories: true)
    let lines = (0..<60).map {
      "the \(["red", "green", "blue"][$0 % 3]) square number \($0) is here"
    }
    try lines.joined(separator: "\n").write(
      toFile: "\(shop.root)/text/a.txt", atomically: true, encoding: .utf8)
    try TinyCorpus.write(
      [.init(name: Array("x.txt".utf8), bytes: Array("a yellow cross".utf8))],
      to: "\(shop.root)/text/b.tar")
    return shop
  }

  static let train = [
    "train", "in", "--for", "downstream", "--text", "text", "--pipeline", "tiny.yaml",
  ]

  private func train(_ shop: Workshop, out: String, _ more: String...) throws -> Workshop.Outcome {
    try Workshop.run(Workshop.binary, Self.train + ["--out", out] + more, in: shop.root)
  }

  static func model(_ shop: Workshop, _ out: String) throws -> [String: Data] {
    try shop.tree(out).filter { $0.key.hasPrefix("model/") || $0.key.hasPrefix("snapshots/") }
  }

  private func steps(_ shop: Workshop, _ out: String) throws -> [Int] {
    try String(contentsOfFile: "\(shop.root)/\(out)/train.jsonl", encoding: .utf8)
      .split(separator: "\n").map { line in
        let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        return try #require(object?["step"] as? Int)
      }
  }

  private func snapshots(_ shop: Workshop) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: "\(shop.root)/out/snapshots")
  }

  @Test func cleanShardsAndTextTrainAModelAndASecondRunHasNothingToDo() throws {
    let shop = try Self.shop()
    #expect(try shop.clean(out: "clean").status == 0)
    let arguments = ["train", "clean/clean", "--text", "text", "--pipeline", "tiny.yaml"]
    func run(_ more: String...) throws -> Workshop.Outcome {
      try Workshop.run(Workshop.binary, arguments + more, in: shop.root)
    }
    let first = try run("--out", "out")
    #expect(first.status == 0, "\(first.errors)")
    #expect(
      first.errors.contains("since \(shop.root)/clean was written by Winnow")
        || first.errors.contains("was written by Winnow"))
    #expect(first.errors.contains("unpaired text: 61 passages"))
    #expect(first.output == "")
    #expect(
      try shop.tree("out/model").keys.sorted()
        == ["member.json", "merges.txt", "model.safetensors", "vocab.json"])
    #expect(try steps(shop, "out").count >= 3)
    #expect(try snapshots(shop).count == 2)
    for place in ["out/model", "out/snapshots/\(try #require(try snapshots(shop).first))"] {
      let embedded = try shop.winnow("embed", "in", "--member", place, "--out", "e-\(place.count)")
      #expect(embedded.status == 0, "\(embedded.errors)")
      #expect(embedded.errors.contains("120 pairs embedded"))
    }
    #expect(try train(shop, out: "own").status == 0)
    for (model, note) in [("own", "on these very shards"), ("out", "by winnow train")] {
      try PretrainedTests.pipeline().replacing(
        "pretrained: model", with: "pretrained: \(model)/model"
      )
      .write(toFile: "\(shop.root)/judge.yaml", atomically: true, encoding: .utf8)
      let judged = try shop.winnow(
        "clean", "in", "--pipeline", "judge.yaml", "--out", "judged-\(model)")
      #expect(judged.status == 0, "\(judged.errors)")
      #expect(judged.errors.contains("clip was trained \(note)"))
    }
    let again = try run("--out", "out")
    #expect(again.status == 0)
    #expect(again.errors.contains("nothing to train"))
    let other = try run("--out", "out", "--epochs", "9")
    #expect(other.status == 1)
    #expect(other.errors.contains("train.epochs: 3 (now 9)"))
    // No cleaned corpus, which a rebuild makes.
    #expect(!other.errors.contains("--rebuild"), "\(other.errors)")
    let rebuilt = try shop.clean(out: "out", "--rebuild")
    #expect(rebuilt.status == 2, "\(rebuilt.errors)")
    #expect(rebuilt.errors.contains("corpus (it holds out/model)"), "\(rebuilt.errors)")
    #expect(shop.exists("out/model/member.json") && !shop.exists("out.rebuild"))
    #expect(try run("--out", "judges", "--for", "judges").status == 2)
    #expect(
      try shop.winnow("train", "in", "--text", "text", "--pipeline", "tiny.yaml", "--out", "j")
        .status
        == 2, "judges learn from pairs alone")
  }

  @Test(.enabled(if: Workshop.unprivileged != nil, "needs setpriv"))
  func aFolderOfTextThatCannotBeReadWholeIsNotReadInPart() throws {
    let shop = try Self.shop()
    let closed = "\(shop.root)/text/closed"
    #expect(mkdir(closed, 0) == 0)
    defer { chmod(closed, 0o755) }
    let command = try #require(Workshop.unprivileged)
    let arguments = [Workshop.binary.path] + Self.train + ["--out", "out"]
    let outcome = try Workshop.run(
      URL(fileURLWithPath: command[0]), Array(command.dropFirst()) + arguments, in: shop.root)
    #expect(outcome.status == 2, "\(outcome.errors)")
    #expect(outcome.errors.contains("--text: text/closed: cannot read"), "\(outcome.errors)")
    #expect(!shop.exists("out"))
  }

  @Test func aPipeOrADeviceIsNoTextAndNobodyWaitsForIt() throws {
    let shop = try Self.shop()
    // The second by the name of a shard of text.
    let pipes = ["pipe.txt", "pipe.tar"]
    for pipe in pipes { #expect(mkfifo("\(shop.root)/\(pipe)", 0o600) == 0) }
    let outcome = try train(
      shop, out: "out", "--text", pipes[0], "--text", pipes[1], "--text", "/dev/zero")
    #expect(outcome.status == 3, "\(outcome.errors)")
    for name in pipes + ["/dev/zero"] {
      #expect(outcome.errors.contains("\(name): it is no regular file"), "\(outcome.errors)")
    }
    #expect(outcome.errors.contains("unpaired text: 61 passages"), "\(outcome.errors)")
    #expect(shop.exists("out/model/member.json"))
  }

  @Test func aKilledOrStoppedTrainingEndsWithTheSameBytesWhateverTheWorkers() throws {
    let shop = try Self.shop(epochs: 60)
    #expect(try train(shop, out: "whole", "--workers", "1").status == 0)
    for (signal, status) in [(SIGINT, Int32(130)), (SIGKILL, SIGKILL)] {
      let out = "cut\(signal)"
      let process = Process()
      process.executableURL = Workshop.binary
      process.arguments = Self.train + ["--out", out, "--quiet"]
      process.currentDirectoryURL = URL(fileURLWithPath: shop.root)
      try process.run()
      #expect(shop.appears("\(out)/.winnow/training/model/model.checkpoint"))
      if signal == SIGINT {
        let second = try train(shop, out: out)
        #expect(second.status == 75, "\(second.errors)")
      }
      kill(process.processIdentifier, signal)
      process.waitUntilExit()
      #expect(process.terminationStatus == status)
      #expect(!FileManager.default.fileExists(atPath: "\(shop.root)/\(out)/model"))
      let resumed = try train(shop, out: out, "--workers", "3")
      #expect(resumed.status == 0, "\(resumed.errors)")
      #expect(resumed.errors.contains("going on after step"))
      #expect(differences(try Self.model(shop, "whole"), try Self.model(shop, out)) == [])
      #expect(try steps(shop, out) == steps(shop, "whole"))
    }
  }
}
