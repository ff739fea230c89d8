import Foundation
import Testing

/// Which commands renew the time of the last success that an alert watches, where one pipeline file has all of them write the
/// same figures.
@Suite struct LastSuccessTests {
  /// - Returns: whether the command, which ends well, renews the time of a success that was long ago.
  private func renewsSuccess(
    _ command: [String], out: String = "out", in shop: Workshop
  ) throws -> Bool {
    let file = "\(shop.root)/w.prom"
    let early = "winnow_last_success_timestamp_seconds{out=\"\(out)\"} 5"
    try (early + "\n").write(toFile: file, atomically: true, encoding: .utf8)
    let outcome = try Workshop.run(
      Workshop.binary,
      command + ["--pipeline", "tiny.yaml", "--out", out, "--metrics", "w.prom"], in: shop.root)
    #expect(outcome.status == 0, "\(command): \(outcome.errors)")
    let lines = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n")
    #expect(lines.contains { $0.hasPrefix("winnow_last_run_exit_status{") && $0.hasSuffix(" 0") })
    let success = lines.filter { $0.hasPrefix("winnow_last_success_timestamp_seconds{") }
    #expect(success.count == 1)
    return success != [Substring(early)]
  }

  /// What comes after the other stages may fail every night.
  @Test func aStageThatPublishesNothingLeavesTheTimeOfTheLastSuccess() throws {
    let shop = try Workshop(pairs: 200)
    for stage in [["train", "in"], ["score", "in"], ["fit"]] {
      #expect(try !renewsSuccess(stage, in: shop), "\(stage)")
    }
    for rank in ["0", "1"] {
      let share = ["filter", "in", "--rank", rank, "--world-size", "2"]
      #expect(try !renewsSuccess(share, in: shop), "\(share)")
    }
    #expect(try renewsSuccess(["publish"], in: shop))

    try shop.add(200..<230, "000004")
    for stage in [["train", "in"], ["score", "in"], ["fit"]] {
      #expect(try !renewsSuccess(stage, in: shop), "\(stage)")
    }
    #expect(try renewsSuccess(["filter", "in"], in: shop))
    // Nothing is new, and nothing is left to do.
    for command in [["score", "in"], ["filter", "in"], ["clean", "in"]] {
      #expect(try renewsSuccess(command, in: shop), "\(command)")
    }
  }

  @Test func aModelAndEmbeddingsRenewTheTimeOfTheLastSuccess() throws {
    let model = """

      train:
        epochs: 6
        batchSize: 32
        lanes: 2
        model:
          name: tiny
          image: {side: 16, widths: [8, 16], blocks: [0, 0]}
          text: {kind: transformer, tokens: bytePairs, vocabularySize: 520, width: 16, depth: 1, heads: 2, maxTokens: 16, causal: false}
          dimension: 16
      """
    let shop = try Workshop(pairs: 200, pipeline: TinyCorpus.pipeline() + model)
    try shop.writeJudges()
    let training = ["train", "in", "--for", "downstream"]
    for _ in ["trained", "there already"] {
      #expect(try renewsSuccess(training, out: "run", in: shop))
    }
    let embedding = ["embed", "in", "--member", "judges", "--kind", "bag", "--fold", "0"]
    #expect(try renewsSuccess(embedding, out: "embeddings", in: shop))
  }
}
