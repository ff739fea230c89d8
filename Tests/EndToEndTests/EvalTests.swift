import Foundation
import Testing

@testable import Pipeline

@Suite struct EvalTests {
  private func json(_ outcome: Workshop.Outcome) throws -> [String: Any] {
    #expect(outcome.status == 0, "\(outcome.errors)")
    return try #require(
      try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
  }

  @Test func retrievalAndTextFiguresOfATrainedMember() throws {
    let shop = try Workshop(pairs: 200, pipeline: TinyCorpus.pipeline(minimumSteps: 200))
    #expect(
      try shop.winnow("train", "in", "--pipeline", "tiny.yaml", "--out", "judges").status == 0)

    #expect(try shop.winnow("eval", "retrieval", "in", "--model", "judges").status == 2)
    let member = ["--model", "judges", "--kind", "words", "--fold", "0"]
    func eval(_ arguments: String...) throws -> Workshop.Outcome {
      try Workshop.run(Workshop.binary, ["eval"] + arguments + member, in: shop.root)
    }
    let table = try eval("retrieval", "in")
    #expect(table.status == 0, "\(table.errors)")
    #expect(table.output.contains("image -> text") && table.output.contains("median rank"))
    let one = try eval("retrieval", "in", "--workers", "1", "--json")
    let retrieval = try json(one)
    #expect(retrieval["pairs"] as? Int == 200)
    let direction = try #require(retrieval["text_to_image"] as? [String: Any])
    #expect(direction["queries"] as? Int == 200)
    // Learnt from these very pairs: better than one in a hundred.
    #expect(try #require(direction["recall_at_10"] as? Double) > 0.1)
    let two = try eval("retrieval", "in", "--workers", "2", "--json")
    #expect(two.output == one.output)

    var labels = "text\tlabel\n"
    var pairs = "text\tmatch\n"
    for i in 0..<100 {
      let colour = ["red", "green", "blue", "yellow"][i % 4]
      labels += "a \(colour) square number \(i)\t\(colour)\n"
      pairs += "a \(colour) square number \(i)\tnumber \(i): a square that is \(colour)\n"
    }
    try labels.write(toFile: "\(shop.root)/labels.tsv", atomically: true, encoding: .utf8)
    try pairs.write(toFile: "\(shop.root)/pairs.tsv", atomically: true, encoding: .utf8)
    let texts = try json(
      eval("text", "--labels", "labels.tsv", "--pairs", "pairs.tsv", "--json"))
    let classes = try #require(texts["classification"] as? [String: Any])
    let probe = try #require(classes["linear_probe"] as? [String: Any])
    #expect(try #require(probe["accuracy"] as? Double) > 0.8)
    #expect((texts["retrieval"] as? [String: Any])?["pairs"] as? Int == 100)

    // A shard that isn't one is told though nothing else is, and counts for the records.
    try "no tar".write(toFile: "\(shop.root)/bad.tar", atomically: true, encoding: .utf8)
    let embedded = try shop.winnow(
      "embed", "in/000000.tar", "bad.tar", "--member", "judges", "--kind", "words", "--fold", "0",
      "--out", "e", "--quiet", "--log", "e.jsonl", "--metrics", "e.prom")
    #expect(embedded.status == 3 && embedded.output == "")
    #expect(embedded.errors.contains("bad.tar") && !embedded.errors.contains("embedded"))
    let log = try String(contentsOfFile: "\(shop.root)/e.jsonl", encoding: .utf8)
    #expect(log.contains("\"event\":\"fault\"") && log.contains("\"status\":3"))
    let figures = try String(contentsOfFile: "\(shop.root)/e.prom", encoding: .utf8)
    #expect(figures.contains("winnow_last_run_exit_status{out=\"e\"} 3\n"))
  }

  @Test func aModelIsEvaluatedAlongItsTraining() throws {
    let shop = try Workshop(pairs: 200)
    try """
    train:
      epochs: 6
      batchSize: 32
      lanes: 2
      model:
        name: tiny
        image: {side: 16, widths: [8, 16], blocks: [0, 0]}
        text: {kind: transformer, tokens: bytePairs, vocabularySize: 520, width: 16, depth: 1, heads: 2, maxTokens: 16, causal: false}
        dimension: 16
        snapshots: 3
    """.write(toFile: "\(shop.root)/model.yaml", atomically: true, encoding: .utf8)
    let training = try shop.winnow(
      "train", "in", "--for", "downstream", "--pipeline", "model.yaml", "--out", "run")
    #expect(training.status == 0, "\(training.errors)")
    let snapshots = try FileManager.default.contentsOfDirectory(
      atPath: "\(shop.root)/run/snapshots")
    // 200 pairs in batches of 25, eight a time: a third of 48 steps each.
    #expect(snapshots.sorted() == ["000016", "000032"])
    var outputs: Set<String> = []
    for model in ["run/snapshots/000016", "run/snapshots/000032", "run", "run/model"] {
      let outcome = try shop.winnow("eval", "retrieval", "in", "--model", model, "--json")
      #expect(try json(outcome)["pairs"] as? Int == 200)
      outputs.insert(outcome.output)
    }
    // The folder and the model in it are one.
    #expect(outputs.count == 3)

    try "{}".write(
      toFile: "\(shop.root)/run/model/member.json", atomically: true, encoding: .utf8)
    let damaged = try shop.winnow("eval", "retrieval", "in", "--model", "run")
    #expect(damaged.status == 1)
    #expect(damaged.errors.contains("run/model/member.json"))
  }

  @Test(arguments: [
    ["retrieval", "in"],
    ["retrieval", "in", "--embeddings", "in"], ["text", "--model", "in"],
    ["text", "--labels", "nowhere.tsv", "--model", "in"],
    ["text", "--labels", "tiny.yaml", "--model", "in", "--folds", "1"],
    ["text", "--embeddings", "x.npy", "--labels", "y.npy", "--model", "in"],
    ["text", "--pairs", "pairs.npz", "--model", "in"],
    ["text", "--labels", "y.tsv", "--model", "in", "--workers", "1025"],
    ["noise", "--truth", "nowhere.tsv", "--out", "in"],
  ])
  func wrongUsageEndsWithTwo(arguments: [String]) throws {
    let shop = try Workshop(pairs: 3)
    let outcome = try Workshop.run(Workshop.binary, ["eval"] + arguments, in: shop.root)
    #expect(outcome.status == 2, "\(outcome.errors)")
    #expect(outcome.output == "")
  }

  @Test func aFileThatCannotBeReadIsNotMissing() throws {
    let shop = try Workshop(pairs: 3)
    func errors(_ arguments: String...) throws -> String {
      try Workshop.run(Workshop.binary, ["eval", "text"] + arguments, in: shop.root).errors
    }
    #expect(try errors("--labels", "in", "--model", "m").contains("in: it is a folder"))
    #expect(try errors("--labels", "nowhere", "--model", "m").contains("nowhere: no such file"))
    #expect(
      try errors("--embeddings", "in", "--labels", "y.npy").contains("in: it is a folder"))
    #expect(
      try errors("--embeddings", "x.npy", "--labels", "y.npy").contains("x.npy: no such file"))
  }

  @Test func aBadTableNamesTheLine() throws {
    let shop = try Workshop()
    try "text\tlabel\na\tb\tc\n".write(
      toFile: "\(shop.root)/labels.tsv", atomically: true, encoding: .utf8)
    let outcome = try shop.winnow("eval", "text", "--labels", "labels.tsv", "--model", "m")
    #expect(outcome.status == 1)
    #expect(outcome.errors.contains("labels, line 2"))
  }
}
