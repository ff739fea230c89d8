import Foundation
import Testing

@testable import Pipeline
@testable import TensorFiles

/// `winnow clean` and `winnow embed` with a tiny pretrained CLIP model of random weights.
@Suite struct PretrainedTests {
  /// - Parameter trained: members that stand before the model, in lines of their own.
  static func pipeline(_ trained: String = "") -> String {
    TinyCorpus.pipeline().split(separator: "\n").filter { !$0.contains("shardSize") }
      .prefix { !$0.contains("members:") }.joined(separator: "\n") + """

          members:
        \(trained)    - name: clip
              pretrained: model
        """
  }

  /// A workshop with the model in its folder `model`.
  private func workshop(_ trained: String = "") throws -> Workshop {
    let shop = try Workshop(pairs: 120, pipeline: Self.pipeline(trained))
    let goldens = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../EncodersTests/Goldens/hugging-face").standardizedFileURL.path
    try FileManager.default.copyItem(atPath: goldens, toPath: "\(shop.root)/model")
    return shop
  }

  @Test func aPretrainedModelJudgesWithoutTraining() throws {
    let shop = try workshop()
    for (out, workers) in [("one", "1"), ("two", "2")] {
      let outcome = try shop.clean(out: out, "--workers", workers, "--keep-fraction", "0.5")
      #expect(outcome.status == 0, "\(outcome.errors)")
    }
    #expect(differences(try shop.tree("one"), try shop.tree("two")) == [])
    #expect(try shop.manifest("one").provenance.kinds == ["clip"])
    // The ensemble needs nothing that lies elsewhere.
    try FileManager.default.removeItem(atPath: "\(shop.root)/model")
    let moved = try shop.winnow("clean", "in", "--ensemble", "one/ensemble", "--out", "three")
    #expect(moved.status == 0, "\(moved.errors)")
    let digests = try ["one", "three"].map { try shop.manifest($0).provenance.ensembleDigest }
    #expect(digests[0] == digests[1])
  }

  @Test func trainedMembersAndTheirSnapshotsStandBesidePretrainedOnes() throws {
    let shop = try workshop(
      """
          - name: bag
            snapshots: 2
            image: {side: 16, widths: [8, 16], blocks: [0, 0]}
            text: {buckets: 256, width: 16, maxTokens: 8}
            dimension: 16
          - name: words
            image: {side: 16, widths: [8, 16], blocks: [0, 0]}
            text: {kind: transformer, buckets: 256, width: 16, depth: 1, heads: 2, maxTokens: 8}
            dimension: 16

      """)
    let outcome = try shop.clean(out: "out")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(try shop.manifest().provenance.kinds == ["bag", "bag.1", "words", "clip"])
    for kind in ["bag-fold1", "bag.1-fold1", "words-fold1", "clip-pretrained"] {
      #expect(shop.exists("out/ensemble/\(kind).safetensors"), "\(kind)")
    }
  }

  /// Fewer pairs than a bank needs: the next run takes them up with what came since.
  @Test func tooFewPairsForABankDoNotStayAlone() throws {
    let shop = try workshop()
    let shards = try FileManager.default.contentsOfDirectory(atPath: "\(shop.root)/in")
    try FileManager.default.moveItem(atPath: "\(shop.root)/in", toPath: "\(shop.root)/all")
    #expect(mkdir("\(shop.root)/in", 0o755) == 0)
    try TinyCorpus.write(
      (500..<510).flatMap { TinyCorpus.sample($0) }, to: "\(shop.root)/in/few.tar")
    let few = try shop.clean(out: "out")
    #expect(few.status == 1)
    #expect(
      few.errors.contains("10 different readable pairs are too few for judges: at least 100"),
      "\(few.errors)")
    for shard in shards {
      try FileManager.default.moveItem(
        atPath: "\(shop.root)/all/\(shard)", toPath: "\(shop.root)/in/\(shard)")
    }
    let enough = try shop.clean(out: "out", "--keep-fraction", "0.5")
    #expect(enough.status == 0, "\(enough.errors)")
    #expect(try shop.manifest().ledger.read == 130)
    #expect(try shop.clean(out: "fresh", "--keep-fraction", "0.5").status == 0)
    #expect(differences(try shop.tree("fresh"), try shop.tree("out")) == [])
  }

  @Test func aModelThatIsNoneIsAnErrorThatSaysWhatItLacks() throws {
    let shop = try Workshop(pairs: 60, pipeline: Self.pipeline())
    let outcome = try shop.clean(out: "out")
    #expect(outcome.status == 1)
    #expect(outcome.errors.contains("model is no pretrained CLIP model"))
  }

  @Test func embeddingsLieInClipRetrievalsLayout() throws {
    let shop = try workshop()
    // A pair that doesn't decode has no row.
    var members = (0..<20).flatMap { TinyCorpus.sample($0) }
    members[3 * 7].bytes = Array("no image".utf8)
    try TinyCorpus.write(members, to: "\(shop.root)/in/000000.tar")
    for (out, more) in [
      ("one", ["--workers", "1", "--float32"]), ("two", ["--workers", "2", "--float32"]),
      ("half", []),
    ] {
      let arguments = ["embed", "in", "--member", "model", "--out", out] + more
      let outcome = try Workshop.run(Workshop.binary, arguments, in: shop.root)
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(outcome.errors.contains("left out: image-unknown-format 1"))
    }
    #expect(differences(try shop.tree("one"), try shop.tree("two")) == [])
    let lines = try String(
      contentsOfFile: "\(shop.root)/one/metadata/metadata_0.jsonl", encoding: .utf8
    ).split(separator: "\n")
    #expect(lines.count == 19)
    #expect(lines[0].contains(#""key":"000000""#) && !lines.contains { $0.contains("000007") })
    for name in ["img_emb", "text_emb"] {
      let path = "\(name)/\(name)_0.npy"
      guard case .float32(let rows, let shape) = try NPY.read("\(shop.root)/one/\(path)"),
        case .float32(let half, _) = try NPY.read("\(shop.root)/half/\(path)")
      else {
        Issue.record("no rows of float32")
        return
      }
      #expect(shape == [19, 8])
      #expect(abs(rows.prefix(8).reduce(0) { $0 + $1 * $1 } - 1) < 1e-5)
      for (a, b) in zip(rows, half) { #expect(abs(a - b) < 1e-3) }
    }
    // Again: nothing is left to do; another type would be another output.
    let before = try shop.tree("one")
    #expect(
      try shop.winnow("embed", "in", "--member", "model", "--out", "one", "--float32").status == 0)
    #expect(differences(before, try shop.tree("one")) == [])
    let other = try shop.winnow("embed", "in", "--member", "model", "--out", "one")
    #expect(other.status == 2 && other.errors.contains("choose another --out"))
    let rebuilt = try shop.clean(out: "one", "--rebuild")
    #expect(rebuilt.status == 2, "\(rebuilt.errors)")
    #expect(rebuilt.errors.contains("(it holds one/embeddings.json)"), "\(rebuilt.errors)")
  }

  @Test func aMemberOfAnEnsembleIsChosenByKindAndFold() throws {
    let shop = try Workshop(pairs: 120)
    #expect(try shop.winnow("train", "in", "--pipeline", "tiny.yaml", "--out", "out").status == 0)
    func embed(_ out: String, _ more: String...) throws -> Workshop.Outcome {
      try Workshop.run(Workshop.binary, ["embed", "in", "--out", out] + more, in: shop.root)
    }
    #expect(try embed("a", "--member", "out", "--kind", "bag", "--fold", "1").status == 0)
    #expect(try embed("b", "--member", "out/ensemble/bag-fold1.safetensors").status == 0)
    #expect(differences(try shop.tree("a/img_emb"), try shop.tree("b/img_emb")) == [])
    let file = "out/ensemble/bag-fold1.safetensors"
    #expect(try embed("b", "--member", file, "--kind", "bag", "--fold", "1").status == 0)
    #expect(try embed("c", "--member", file, "--fold", "0").errors.contains("another member"))
    #expect(try embed("c", "--member", file, "--kind", "words").errors.contains("another member"))
    #expect(try embed("c", "--member", "out").errors.contains("choose one of bag, words"))
    #expect(try embed("c", "--member", "out", "--kind", "bag").errors.contains("--fold: bag"))
  }
}
